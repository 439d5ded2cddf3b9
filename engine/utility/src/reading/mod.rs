//! What readers of files share: JSON as Python writes it, values checked where they are read, tables of pandas.

pub(crate) mod fields;
pub(crate) mod frame;
pub(crate) mod json;
