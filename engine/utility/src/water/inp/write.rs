//! A network as an input file of EPANET 2.2, in litres per second and metres: junctions, reservoirs, tanks, pipes, pumps,
//! valves, demands, patterns, curves, simple controls, options, times, energy and places. Numbers are written so that they
//! are read back as they are, to rounding of the units. Rules, emitters and quality are not written; [`text`] says where a
//! network has them.
//!
//! Contract: a pure function, in order of rows; nodes and links keep their order where junctions come before the others and
//! pipes before pumps and valves.

use super::units::FlowUnit;
use crate::water::network::{DemandModel, HeadLoss, LinkKind, LinkStatus, NONE, Network, NodeKind, PumpLift, Trigger};
use std::fmt::Write;

/// The text, and what of the network it does not hold.
#[must_use]
pub fn text(net: &Network) -> (String, Vec<String>) {
    let mut out = String::new();
    let mut left_out = Vec::new();
    if !net.rules.is_empty() {
        left_out.push(format!("{} rules are not written", net.rules.len()));
    }
    if net.nodes.emitter_m3ps.iter().any(|&emitter| emitter > 0.0) {
        left_out.push("emitters are not written".to_owned());
    }
    // Writing to a text cannot fail.
    let _ = nodes(&mut out, net);
    let _ = links(&mut out, net);
    let _ = rest(&mut out, net);
    (out, left_out)
}

fn lps(flow_m3ps: f64) -> f64 {
    flow_m3ps / FlowUnit::Lps.m3ps()
}

fn pattern(net: &Network, row: u32) -> &str {
    net.patterns.get(row as usize).map_or("", |of| of.id.as_str())
}

fn nodes(out: &mut String, net: &Network) -> std::fmt::Result {
    let of = &net.nodes;
    writeln!(out, "[TITLE]")?;
    net.title.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    writeln!(out, "\n[JUNCTIONS]\n;id elevation")?;
    let rows = |kind: NodeKind| (0..of.id.len()).filter(move |&node| of.kind[node] == kind);
    for node in rows(NodeKind::Junction) {
        writeln!(out, "{} {}", of.id[node], of.elevation_m[node])?;
    }
    writeln!(out, "\n[RESERVOIRS]\n;id head pattern")?;
    for node in rows(NodeKind::Reservoir) {
        writeln!(out, "{} {} {}", of.id[node], of.elevation_m[node], pattern(net, of.head_pattern[node]))?;
    }
    writeln!(out, "\n[TANKS]\n;id elevation initial lowest highest diameter volume curve overflow")?;
    let tanks = &net.tanks;
    for tank in 0..tanks.node.len() {
        let node = tanks.node[tank] as usize;
        let curve = net.curves.get(tanks.volume_curve[tank] as usize).map_or("*", |curve| curve.id.as_str());
        writeln!(
            out,
            "{} {} {} {} {} {} {} {curve} {}",
            of.id[node],
            of.elevation_m[node],
            tanks.initial_level_m[tank],
            tanks.min_level_m[tank],
            tanks.max_level_m[tank],
            tanks.diameter_m[tank],
            tanks.min_volume_m3[tank],
            if tanks.can_overflow[tank] { "YES" } else { "NO" }
        )?;
    }
    writeln!(out, "\n[DEMANDS]\n;junction demand pattern")?;
    let demands = &net.demands;
    for row in 0..demands.node.len() {
        let id = &of.id[demands.node[row] as usize];
        writeln!(out, "{id} {} {}", lps(demands.base_m3ps[row]), pattern(net, demands.pattern[row]))?;
    }
    writeln!(out, "\n[COORDINATES]\n;node x y")?;
    for (node, place) in of.place.iter().enumerate() {
        if let Some([x, y]) = place {
            writeln!(out, "{} {x} {y}", of.id[node])?;
        }
    }
    Ok(())
}

fn links(out: &mut String, net: &Network) -> std::fmt::Result {
    let of = &net.links;
    let id = |node: u32| net.nodes.id[node as usize].as_str();
    let is_pipe = |link: usize| matches!(of.kind[link], LinkKind::Pipe | LinkKind::CheckValve);
    let rows = || 0..of.id.len();
    // Millimetres with the formula of Darcy and Weisbach.
    let rough = if net.options.head_loss == HeadLoss::DarcyWeisbach { 1000.0 } else { 1.0 };
    writeln!(out, "\n[PIPES]\n;id from to length diameter roughness loss status")?;
    for link in rows().filter(|&link| is_pipe(link)) {
        let status = match (of.kind[link], of.status[link]) {
            (LinkKind::CheckValve, _) => "CV",
            (_, LinkStatus::Closed) => "CLOSED",
            _ => "OPEN",
        };
        writeln!(
            out,
            "{} {} {} {} {} {} {} {status}",
            of.id[link],
            id(of.from[link]),
            id(of.to[link]),
            of.length_m[link],
            1000.0 * of.diameter_m[link],
            rough * of.roughness[link],
            of.minor_loss[link]
        )?;
    }
    writeln!(out, "\n[PUMPS]\n;id from to lift")?;
    let pumps = &net.pumps;
    for pump in 0..pumps.link.len() {
        let link = pumps.link[pump] as usize;
        write!(out, "{} {} {} ", of.id[link], id(of.from[link]), id(of.to[link]))?;
        match pumps.lift[pump] {
            PumpLift::Curve(curve) => write!(out, "HEAD {}", net.curves[curve as usize].id)?,
            PumpLift::Power(w) => write!(out, "POWER {}", w / 1000.0)?,
        }
        write!(out, " SPEED {}", of.setting[link])?;
        match pumps.speed_pattern[pump] {
            NONE => writeln!(out)?,
            row => writeln!(out, " PATTERN {}", pattern(net, row))?,
        }
    }
    writeln!(out, "\n[VALVES]\n;id from to diameter type setting loss")?;
    for link in rows().filter(|&link| !is_pipe(link) && of.kind[link] != LinkKind::Pump) {
        let (kind, setting) = match of.kind[link] {
            LinkKind::Psv => ("PSV", of.setting[link]),
            LinkKind::Pbv => ("PBV", of.setting[link]),
            LinkKind::Fcv => ("FCV", lps(of.setting[link])),
            LinkKind::Tcv => ("TCV", of.setting[link]),
            LinkKind::Gpv => ("GPV", 0.0),
            _ => ("PRV", of.setting[link]),
        };
        let (from, to, d_mm) = (id(of.from[link]), id(of.to[link]), 1000.0 * of.diameter_m[link]);
        match (of.kind[link], net.curves.get(of.curve[link] as usize)) {
            (LinkKind::Gpv, Some(curve)) => writeln!(out, "{} {from} {to} {d_mm} GPV {} 0", of.id[link], curve.id)?,
            _ => writeln!(out, "{} {from} {to} {d_mm} {kind} {setting} {}", of.id[link], of.minor_loss[link])?,
        }
    }
    writeln!(out, "\n[STATUS]")?;
    for link in rows().filter(|&link| !is_pipe(link)) {
        let is_valve = of.kind[link] != LinkKind::Pump;
        match of.status[link] {
            LinkStatus::Closed => writeln!(out, "{} CLOSED", of.id[link])?,
            LinkStatus::Open if is_valve => writeln!(out, "{} OPEN", of.id[link])?,
            _ => {}
        }
    }
    writeln!(out, "\n[VERTICES]\n;link x y")?;
    for link in rows() {
        of.vertices[link].iter().try_for_each(|[x, y]| writeln!(out, "{} {x} {y}", of.id[link]))?;
    }
    Ok(())
}

fn rest(out: &mut String, net: &Network) -> std::fmt::Result {
    writeln!(out, "\n[PATTERNS]")?;
    for of in &net.patterns {
        for six in of.multipliers.chunks(6) {
            write!(out, "{}", of.id)?;
            six.iter().try_for_each(|value| write!(out, " {value}"))?;
            writeln!(out)?;
        }
    }
    writeln!(out, "\n[CURVES]")?;
    let mut volumes = vec![false; net.curves.len()];
    for &curve in net.tanks.volume_curve.iter().filter(|curve| **curve != NONE) {
        volumes[curve as usize] = true;
    }
    let mut shares = vec![false; net.curves.len()];
    for &curve in net.pumps.efficiency_curve.iter().filter(|curve| **curve != NONE) {
        shares[curve as usize] = true;
    }
    for (row, of) in net.curves.iter().enumerate() {
        for &[x, y] in &of.points {
            match (volumes[row], shares[row]) {
                (true, _) => writeln!(out, "{} {x} {y}", of.id)?,
                (_, true) => writeln!(out, "{} {} {}", of.id, lps(x), 100.0 * y)?,
                _ => writeln!(out, "{} {} {y}", of.id, lps(x))?,
            }
        }
    }
    writeln!(out, "\n[CONTROLS]")?;
    for control in &net.controls {
        let link = &net.links.id[control.action.link as usize];
        write!(out, "LINK {link} ")?;
        match (control.action.status, control.action.setting) {
            (Some(LinkStatus::Closed), _) => write!(out, "CLOSED")?,
            (Some(LinkStatus::Open), _) | (_, None) => write!(out, "OPEN")?,
            (_, Some(setting)) => write!(out, "{setting}")?,
        }
        let node = |node: u32, head_m: f64| {
            let of = node as usize;
            (net.nodes.id[of].as_str(), head_m - net.nodes.elevation_m[of])
        };
        match control.trigger {
            Trigger::HeadAbove(of, head_m) => {
                let (id, level_m) = node(of, head_m);
                writeln!(out, " IF NODE {id} ABOVE {level_m}")?;
            }
            Trigger::HeadBelow(of, head_m) => {
                let (id, level_m) = node(of, head_m);
                writeln!(out, " IF NODE {id} BELOW {level_m}")?;
            }
            Trigger::Time(time_s) => writeln!(out, " AT TIME {}", clock(time_s))?,
            Trigger::TimeOfDay(time_s) => writeln!(out, " AT CLOCKTIME {}", clock(time_s))?,
        }
    }
    let options = &net.options;
    let formula = match options.head_loss {
        HeadLoss::HazenWilliams => "H-W",
        HeadLoss::DarcyWeisbach => "D-W",
        HeadLoss::ChezyManning => "C-M",
    };
    writeln!(out, "\n[OPTIONS]\nUNITS LPS\nPRESSURE METERS\nHEADLOSS {formula}\nTRIALS {}", options.trials)?;
    writeln!(out, "ACCURACY {}\nSPECIFIC GRAVITY {}", options.accuracy, options.specific_gravity)?;
    writeln!(out, "DEMAND MULTIPLIER {}\nEMITTER EXPONENT {}", options.demand_multiplier, options.emitter_exponent)?;
    if let DemandModel::PressureDriven { minimum_m, required_m, exponent } = options.demand_model {
        writeln!(out, "DEMAND MODEL PDA\nMINIMUM PRESSURE {minimum_m}\nREQUIRED PRESSURE {required_m}")?;
        writeln!(out, "PRESSURE EXPONENT {exponent}")?;
    }
    let times = &net.times;
    writeln!(out, "\n[TIMES]")?;
    for (name, time_s) in [
        ("DURATION", times.duration_s),
        ("HYDRAULIC TIMESTEP", times.hydraulic_step_s),
        ("QUALITY TIMESTEP", times.quality_step_s),
        ("RULE TIMESTEP", times.rule_step_s),
        ("PATTERN TIMESTEP", times.pattern_step_s),
        ("PATTERN START", times.pattern_start_s),
        ("REPORT TIMESTEP", times.report_step_s),
        ("REPORT START", times.report_start_s),
    ] {
        writeln!(out, "{name} {}", clock(time_s))?;
    }
    writeln!(out, "START CLOCKTIME {}", clock(times.start_clock_s))?;
    writeln!(out, "\n[ENERGY]\nGLOBAL EFFICIENCY {}", 100.0 * net.energy.efficiency)?;
    if net.energy.price_per_kwh > 0.0 {
        writeln!(out, "GLOBAL PRICE {}", net.energy.price_per_kwh)?;
    }
    writeln!(out, "\n[END]")
}

/// Hours, minutes, seconds.
fn clock(time_s: u32) -> String {
    format!("{}:{:02}:{:02}", time_s / 3600, time_s / 60 % 60, time_s % 60)
}
