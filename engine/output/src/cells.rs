//! Kinds of columns: how a value of each kind becomes an Arrow array. A kind fixes type, nullability
//! and Parquet encoding once, so that the declarations in [`crate::tables`] stay one line a column.
//!
//! Text is plain Utf8 in Arrow and dictionary-encoded in Parquet: small on disk, and every reader opens
//! it. Moments are UTC milliseconds. Whole numbers that mostly count upwards are stored as differences.
//!
//! Contract: no state besides the builders; equal values in equal order give equal arrays.

use arrow::array::{
    Array, ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder, TimestampMillisecondBuilder,
    UInt64Builder,
};
use arrow::datatypes::{DataType, TimeUnit};
use std::sync::Arc;

/// A moment: milliseconds since 1970-01-01T00:00:00 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimeMs(pub i64);

/// What a column holds; the names in the table declarations.
pub(crate) trait Kind {
    /// What a row brings.
    type Value<'a>: Copy;
    /// What collects it.
    type Builder: Send;
    /// Whether a value may be absent.
    const NULLABLE: bool = false;
    /// Stored as differences instead of a dictionary.
    const DELTA: bool = false;
    /// Type in Arrow.
    fn data_type() -> DataType;
    /// An empty collector.
    fn builder() -> Self::Builder;
    /// Adds a value.
    fn append(builder: &mut Self::Builder, value: Self::Value<'_>);
    /// Empties the collector into an array.
    fn finish(builder: &mut Self::Builder) -> ArrayRef;
    /// The value as text if it is a number that no result may hold.
    fn not_finite(_: Self::Value<'_>) -> Option<f64> {
        None
    }
}

fn utc() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()))
}

fn array<A: Array + 'static>(array: A) -> ArrayRef {
    Arc::new(array)
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident: $value:ty, $builder:ty, $type:expr, $new:expr,
       nullable $nullable:literal, delta $delta:literal,
       |$into:ident, $from:ident| $append:expr, |$number:ident| $not_finite:expr;)+) => {$(
        $(#[$doc])*
        pub(crate) enum $name {}
        impl Kind for $name {
            type Value<'a> = $value;
            type Builder = $builder;
            const NULLABLE: bool = $nullable;
            const DELTA: bool = $delta;
            fn data_type() -> DataType {
                $type
            }
            fn builder() -> Self::Builder {
                $new
            }
            fn append($into: &mut Self::Builder, $from: Self::Value<'_>) {
                $append;
            }
            fn finish(builder: &mut Self::Builder) -> ArrayRef {
                array(builder.finish())
            }
            fn not_finite($number: Self::Value<'_>) -> Option<f64> {
                $not_finite
            }
        }
    )+};
}

kinds! {
    /// A moment.
    Time: TimeMs, TimestampMillisecondBuilder, utc(), TimestampMillisecondBuilder::new().with_data_type(utc()),
        nullable false, delta false, |b, v| b.append_value(v.0), |_v| None;
    /// A moment that may not have come.
    MaybeTime: Option<TimeMs>, TimestampMillisecondBuilder, utc(),
        TimestampMillisecondBuilder::new().with_data_type(utc()),
        nullable true, delta false, |b, v| b.append_option(v.map(|t| t.0)), |_v| None;
    /// Words or an outside id.
    Text: &'a str, StringBuilder, DataType::Utf8, StringBuilder::new(),
        nullable false, delta false, |b, v| b.append_value(v), |_v| None;
    /// Words or an outside id, where there is one.
    MaybeText: Option<&'a str>, StringBuilder, DataType::Utf8, StringBuilder::new(),
        nullable true, delta false, |b, v| b.append_option(v), |_v| None;
    /// A measured or computed figure.
    Real: f64, Float64Builder, DataType::Float64, Float64Builder::new(),
        nullable false, delta false, |b, v| b.append_value(v), |v| (!v.is_finite()).then_some(v);
    /// A figure that may not exist.
    MaybeReal: Option<f64>, Float64Builder, DataType::Float64, Float64Builder::new(),
        nullable true, delta false, |b, v| b.append_option(v), |v| v.filter(|v| !v.is_finite());
    /// A running number that names a row.
    Number: i64, Int64Builder, DataType::Int64, Int64Builder::new(),
        nullable false, delta true, |b, v| b.append_value(v), |_v| None;
    /// A running number that names a row, where there is one.
    MaybeNumber: Option<i64>, Int64Builder, DataType::Int64, Int64Builder::new(),
        nullable true, delta true, |b, v| b.append_option(v), |_v| None;
    /// How many.
    Count: u64, UInt64Builder, DataType::UInt64, UInt64Builder::new(),
        nullable false, delta false, |b, v| b.append_value(v), |_v| None;
    /// Yes or no.
    Flag: bool, BooleanBuilder, DataType::Boolean, BooleanBuilder::new(),
        nullable false, delta false, |b, v| b.append_value(v), |_v| None;
}
