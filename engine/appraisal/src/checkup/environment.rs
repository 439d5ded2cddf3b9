//! Indicators of climate and noise that stand on other figures.

use super::facts::Facts;
use super::noise;
use super::pipes::{GAS_J_PER_KG, GAS_KG_CO2_PER_KG};
use super::places::{City, put_share};
use super::roads::{LinkHours, Links};
use super::sheet::{Key, Sheet};
use urbis_core::Result;
use urbis_core::units::{HOURS_PER_YEAR, JOULES_PER_KWH};

/// Puts what is emitted in all, and who hears the roads, into a sheet; transport and energy stand in it.
pub(crate) fn measure(
    facts: &Facts<'_>,
    links: &Links,
    city: &City,
    hours: Option<&LinkHours>,
    sheet: &mut Sheet,
) -> Result<()> {
    emissions(facts, sheet);
    match hours {
        None => sheet.absent(58, super::facts::lacks("link_state")),
        Some(hours) => {
            let levels = noise::levels_db(facts, links, city, hours)?;
            let is_loud: Vec<bool> = levels.iter().map(|level| *level > noise::LIMIT_DB).collect();
            put_share(facts, city, sheet, 58, "", &is_loud);
            sheet.note(58, "free field: no screening and no reflection by other buildings, cars alone");
        }
    }
    Ok(())
}

fn emissions(facts: &Facts<'_>, sheet: &mut Sheet) {
    let transport = sheet.values.get(&Key { number: 55, unit: "t/person/yr".to_owned(), ..Key::default() }).copied();
    let Some(transport) = transport else {
        return sheet.absent(56, "carbon dioxide of transport is not known");
    };
    let Some(residents) = facts.residents_for(sheet, &[56]) else { return };
    let factor = match facts.figure("electricity_emission_factor") {
        Ok(factor) => factor,
        Err(why) => return sheet.absent(56, why),
    };
    let Some(electricity_j) = sheet.energy_j.get("electricity").copied() else {
        return sheet.absent(56, "electricity of a day is not known");
    };
    let a_year = HOURS_PER_YEAR / 24.0 / residents / 1000.0;
    let electricity = electricity_j / JOULES_PER_KWH * factor * a_year;
    let gas_kg = sheet.energy_j.get("gas").map_or(0.0, |joules| joules / GAS_J_PER_KG);
    let gas = gas_kg * facts.figure("gas_emission_factor").unwrap_or(GAS_KG_CO2_PER_KG) * a_year;
    sheet.put(56, "", "t/person/yr", transport + electricity + gas);
    for (part, value) in [("transport", transport), ("electricity", electricity), ("gas", gas)] {
        sheet.put(56, part, "t/person/yr", value);
    }
    sheet.note(56, "utilities at the pace of the period, transport of working days; heat of the district is not in it");
}
