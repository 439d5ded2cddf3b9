use urbis_utility::water::{Simulation, inp};
fn main() {
    let path = std::env::args().nth(1).unwrap();
    let f = inp::read(std::path::Path::new(&path)).unwrap();
    let mut run = Simulation::new(f.network).unwrap();
    let d = run.hydraulics.network().times.duration_s;
    let mut shown = 0;
    loop {
        let b = run.solve();
        if !b.is_balanced && shown < 3 { shown += 1; println!("{} {b:?}", run.time_s);
            let net = run.hydraulics.network();
            for l in 0..net.links.id.len() { if net.links.kind[l] != urbis_utility::water::network::LinkKind::Pipe { println!("  {} {:?} {:?} set {} q {} h {} {} sup {} {}", net.links.id[l], net.links.kind[l], run.hydraulics.state[l], run.hydraulics.setting[l], run.hydraulics.flow_m3ps[l], run.hydraulics.head_m[net.links.from[l] as usize], run.hydraulics.head_m[net.links.to[l] as usize], run.hydraulics.is_supplied[net.links.from[l] as usize], run.hydraulics.is_supplied[net.links.to[l] as usize]); } }
        }
        if run.time_s >= d { break; }
        run.advance(d - run.time_s);
    }
}
