//! The fluid of a net: an object of properties, each an object of a class, both written as JSON within strings.

use crate::pipes::fluid::{Fluid, Property};
use crate::reading::fields::Report;
use crate::reading::json;
use serde_json::Value;
use std::borrow::Cow;

const TABLE: &str = "fluid";
/// Temperatures at which properties must make sense, K: those of water in pipes, and of the norm state.
const SANE_AT_K: [f64; 3] = [273.15, 293.15, 353.15];

/// The fluid; `None` with a problem where it is not right.
pub(super) fn read(value: Option<&Value>, report: &mut Report<'_>) -> Option<Fluid> {
    let Some(value) = value.filter(|value| !value.is_null()) else {
        report.table(TABLE, "is missing, expected a fluid");
        return None;
    };
    let fluid = object(value)?;
    let Some(properties) = fluid.get("all_properties").and_then(Value::as_object) else {
        report.table(TABLE, format_args!("is {}, expected an object with `all_properties`", json::short(&fluid)));
        return None;
    };
    let is_gas = match (fluid.get("is_gas").and_then(Value::as_bool), fluid.get("fluid_type").and_then(Value::as_str)) {
        (Some(is_gas), _) => is_gas,
        (None, Some("gas")) => true,
        (None, Some("liquid")) => false,
        _ => {
            report.table(TABLE, "neither `is_gas` nor `fluid_type` says whether it is a gas or a liquid");
            return None;
        }
    };
    let mut of = |name: &str, is_needed: bool| -> Option<Property> {
        let Some(value) = properties.get(name) else {
            if is_needed {
                report.table(TABLE, format_args!("has no property `{name}`"));
            }
            return None;
        };
        let property = property(value);
        if property.is_none() {
            let expected = "expected a constant, linear, tabulated, polynomial or Sutherland property";
            report.table(TABLE, format_args!("{name} = {}, {expected}", json::short(value)));
        }
        property
    };
    let (density, viscosity) = (of("density", true), of("viscosity", true));
    let heat_capacity = of("heat_capacity", !is_gas);
    let compressibility = of("compressibility", is_gas);
    let fluid = Fluid {
        name: fluid.get("name").and_then(Value::as_str).unwrap_or("").to_owned(),
        is_gas,
        density_kgpm3: density?,
        viscosity_pas: viscosity?,
        heat_capacity_jpkgk: if is_gas {
            heat_capacity.unwrap_or(Property::Constant(f64::NAN))
        } else {
            heat_capacity?
        },
        compressibility_by_bar: if is_gas { compressibility? } else { Property::Constant(1.0) },
    };
    let is_positive =
        |property: &Property| SANE_AT_K.iter().all(|&t_k| property.at(t_k) > 0.0 && property.at(t_k) < 1e9);
    let mut checks =
        vec![("density", is_positive(&fluid.density_kgpm3)), ("viscosity", is_positive(&fluid.viscosity_pas))];
    if is_gas {
        let z = fluid.compressibility(1e5);
        checks.push(("compressibility", z > 0.0 && z < 10.0));
    } else {
        checks.push(("heat_capacity", is_positive(&fluid.heat_capacity_jpkgk)));
    }
    let mut is_right = true;
    for (name, _) in checks.into_iter().filter(|(_, is_right)| !is_right) {
        report.table(TABLE, format_args!("{name}: expected values > 0 from 273 to 353 K"));
        is_right = false;
    }
    is_right.then_some(fluid)
}

/// The content of an object, which may be written as a string.
fn object(value: &Value) -> Option<Cow<'_, Value>> {
    match value.get("_object") {
        Some(Value::String(text)) => serde_json::from_str(text).ok().map(Cow::Owned),
        Some(object) => Some(Cow::Borrowed(object)),
        None => Some(Cow::Borrowed(value)),
    }
}

/// A number, also one of numpy.
fn number(value: &Value) -> Option<f64> {
    let value = if value.is_object() { value.get("_object")? } else { value };
    let number = value.as_f64().or_else(|| value.as_str()?.parse().ok())?;
    number.is_finite().then_some(number)
}

/// Numbers in a list, also one of numpy.
pub(super) fn numbers(value: &Value) -> Option<Vec<f64>> {
    let value = if value.is_object() { value.get("_object")? } else { value };
    value.as_array()?.iter().map(number).collect()
}

/// The value of an object's member.
pub(super) fn member(value: &Value, name: &str) -> Option<Value> {
    object(value)?.get(name).cloned()
}

fn property(value: &Value) -> Option<Property> {
    let class = value.get("_class")?.as_str()?;
    let of = object(value)?;
    match class {
        "FluidPropertyConstant" => Some(Property::Constant(number(of.get("value")?)?)),
        "FluidPropertyLinear" => {
            Some(Property::Linear { slope: number(of.get("slope")?)?, offset: number(of.get("offset")?)? })
        }
        "FluidPropertyInterExtra" => {
            let (x, y) = (numbers(of.get("x")?)?, numbers(of.get("y")?)?);
            let mut points: Vec<(f64, f64)> = x.into_iter().zip(y).collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            let is_right = points.len() > 1 && points.windows(2).all(|pair| pair[0].0 < pair[1].0);
            let (x, y) = points.into_iter().unzip();
            is_right.then_some(Property::Table { x, y })
        }
        "FluidPropertyPolynominal" => {
            // numpy.poly1d inside, by its coefficients.
            let getter = of.get("prop_getter")?;
            let inner = object(getter)?;
            let list = ["coeffs", "c", "_coeffs"].iter().find_map(|name| inner.get(*name)).unwrap_or(&inner);
            Some(Property::Polynomial(numbers(list)?)).filter(|p| !matches!(p, Property::Polynomial(c) if c.is_empty()))
        }
        "FluidPropertySutherland" => Some(Property::Sutherland {
            eta0_pas: number(of.get("eta0")?)?,
            t0_k: number(of.get("t0")?)?,
            t_sutherland_k: number(of.get("t_sutherland")?)?,
        }),
        _ => None,
    }
}
