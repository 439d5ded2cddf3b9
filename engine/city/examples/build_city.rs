fn main() {
    let args: Vec<String> = std::env::args().collect();
    let start = std::time::Instant::now();
    let mut say = |line: &str| println!("{:6.2} s {line}", start.elapsed().as_secs_f64());
    match urbis_city::build::build(args[1].as_ref(), args[2].as_ref(), &mut say) {
        Ok(m) => { println!("{}", serde_json::to_string_pretty(&m.figures).unwrap()); println!("{:?}", m.counts); for g in m.known_gaps { println!("- {g}"); } }
        Err(urbis_core::Error::Input(p)) => { for p in p.listed() { println!("{p} | {}", p.help_text().unwrap_or_default()); } }
        Err(e) => println!("{e}"),
    }
    println!("{:6.2} s done", start.elapsed().as_secs_f64());
    if let Ok(i) = urbis_city::build::info(args[2].as_ref()) { println!("{:?} {:?} {:?}", i.panel_by_quality, i.buildings_by_floors_from, i.car_km_by_class); }
    println!("{:6.2} s info", start.elapsed().as_secs_f64());
}
