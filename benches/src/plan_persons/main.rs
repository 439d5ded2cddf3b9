#![allow(clippy::print_stdout, clippy::print_stderr)] // a program talks
#![allow(clippy::disallowed_methods)] // and measures the wall clock

//! Plans the day of the persons of an ActivitySim example and says how many persons a second: what Urbis and its peer
//! are compared on (`benches/peers/activitysim.py`).
//!
//! Planning is [`LongTerm::settle`] and [`Planner::install`] as in a run: workplaces and schools, tours, destinations, modes, times, the table of
//! trips. Reading is timed apart. Repeats have other seeds; what is counted in trips is the first.

mod example;

use bevy_ecs::world::World;
use clap::Parser;
use example::Example;
use serde_json::json;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;
use urbis::population::plans::day_tables::DayTables;
use urbis::population::{LongTerm, Mode, Planner, Plans, Sites};
use urbis_core::{Clock, Error, PersonIx, Result};

/// Plan the persons of an ActivitySim example.
#[derive(Debug, Parser)]
struct Arguments {
    /// Folder with households.csv, persons.csv, land_use.csv and skims.omx
    #[arg(long)]
    data: PathBuf,
    /// CSV file with a column `household_id`: the households that are planned; all without it
    #[arg(long)]
    only: Option<PathBuf>,
    /// Threads
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Seconds of planning that repeats fill
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Seed of the first repeat
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// A world in which everybody is planned, and the seconds it took.
fn plan(example: &Example, seed: u64) -> Result<(World, f64)> {
    let clock = Clock::new(0, 0, 86_400);
    let mut world = World::new();
    world.insert_resource(example.places.clone());
    world.insert_resource(example.cells.clone());
    world.insert_resource(example.jobs.clone());
    world.insert_resource(example.persons.clone());
    world.insert_resource(example.skims.clone());
    // Nobody parks and rides in the example.
    world.insert_resource(Sites::default());
    let tables = DayTables::shipped()?;
    let start = Instant::now();
    let Example { city, settings, skims, .. } = example;
    let long_term = LongTerm::settle(&world, city, settings, &tables, skims, seed, &clock)?;
    Planner::install(&mut world, city, settings, tables, long_term, seed, &clock)?;
    Ok((world, start.elapsed().as_secs_f64()))
}

fn run(arguments: &Arguments) -> Result<serde_json::Value> {
    let start = Instant::now();
    let example = Example::read(&arguments.data, arguments.only.as_deref())?;
    let load_s = start.elapsed().as_secs_f64();
    let (world, first_s) = plan(&example, arguments.seed)?;
    let mut times_s = vec![first_s];
    while times_s.iter().sum::<f64>() < arguments.seconds {
        times_s.push(plan(&example, arguments.seed + times_s.len() as u64)?.1);
    }
    let plan_s = times_s.iter().sum::<f64>() / times_s.len() as f64;
    let plans = world.resource::<Plans>();
    let home = |person: PersonIx| example.persons.home[person.row()];
    let tours = (0..plans.len()).filter(|&trip| plans.from[trip] == home(plans.person[trip])).count();
    let modes: serde_json::Map<_, _> = Mode::ALL
        .into_iter()
        .map(|mode| (mode.name().to_owned(), plans.mode.iter().filter(|of| **of == mode).count().into()))
        .collect();
    let persons = example.persons.len();
    Ok(json!({
        "persons": persons,
        "households": example.persons.households().len() - 1,
        "zones": example.city.zones.len(),
        "tours": tours,
        "trips": plans.len(),
        "trips_by_mode": modes,
        "threads": arguments.threads,
        "load_s": load_s,
        "repeats": times_s.len(),
        "first_s": first_s,
        "plan_s": plan_s,
        "persons_per_s": persons as f64 / plan_s,
    }))
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(arguments.threads.max(1)).build();
    let done = match pool {
        Ok(pool) => pool.install(|| run(&arguments)),
        Err(why) => Err(Error::read(&arguments.data, std::io::Error::other(why))),
    };
    match done {
        Ok(facts) => {
            println!("{facts}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            match &error {
                Error::Input(problems) => problems.listed().iter().for_each(|problem| eprintln!("error: {problem}")),
                other => eprintln!("error: {other}"),
            }
            ExitCode::FAILURE
        }
    }
}
