//! The only place where domains meet.
