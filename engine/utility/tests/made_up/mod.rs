//! Made-up streets and buildings.

use urbis_city::model::{BuildingUse, City};
use urbis_core::{LinkIx, NodeIx, ZoneIx};

/// Streets between places, metres, straight and in both directions.
pub(crate) fn city_of(nodes: &[[f64; 2]], links: &[(u32, u32)]) -> City {
    let mut city = City::default();
    for (row, [x, y]) in nodes.iter().enumerate() {
        city.nodes.id.push(format!("{row}"));
        city.nodes.x_m.push(*x);
        city.nodes.y_m.push(*y);
        city.nodes.external.push(false);
    }
    for &(from, to) in links {
        let [a, b] = [nodes[from as usize], nodes[to as usize]];
        city.links.id.push(format!("{}", LinkIx(city.links.id.len() as u32).0));
        city.links.from.push(NodeIx(from));
        city.links.to.push(NodeIx(to));
        city.links.length_m.push((a[0] - b[0]).hypot(a[1] - b[1]));
    }
    city
}

/// A building of 100 m2 for each dwelling, or of 300 m2 without.
pub(crate) fn add_building(city: &mut City, at: [f64; 2], purpose: BuildingUse, dwellings: u32) {
    let table = &mut city.buildings;
    table.id.push(format!("{}", table.id.len()));
    table.zone.push(ZoneIx::NONE);
    table.purpose.push(purpose);
    table.floor_area_m2.push(if dwellings > 0 { 100.0 * f64::from(dwellings) } else { 300.0 });
    table.dwellings.push(dwellings);
    table.x_m.push(at[0]);
    table.y_m.push(at[1]);
}

/// `n` by `n` blocks with sides of `side_m`, and a home `away_m` off the middle of each side.
pub(crate) fn blocks(n: u32, side_m: f64, away_m: f64) -> City {
    let row = n + 1;
    let nodes: Vec<[f64; 2]> =
        (0..row * row).map(|node| [side_m * f64::from(node % row), side_m * f64::from(node / row)]).collect();
    let across = (0..row).flat_map(|y| (0..n).map(move |x| (y * row + x, y * row + x + 1)));
    let up = (0..n).flat_map(|y| (0..row).map(move |x| (y * row + x, (y + 1) * row + x)));
    let links: Vec<(u32, u32)> = across.chain(up).collect();
    let mut city = city_of(&nodes, &links);
    for (a, b) in links {
        let (a, b) = (nodes[a as usize], nodes[b as usize]);
        let middle = [0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1])];
        let is_across = (a[1] - b[1]).abs() < 1.0;
        let at = if is_across { [middle[0], middle[1] + away_m] } else { [middle[0] + away_m, middle[1]] };
        add_building(&mut city, at, BuildingUse::Residential, 1);
    }
    city
}
