//! People, households, jobs and activity plans.
