//! What is in a store is whole and the first of its name, or it is not there.

use futures_util::stream::BoxStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tempfile::TempDir;
use urbis_core::files::write_whole;
use urbis_core::hash::{sha256_file, sha256_hex};
use urbis_output::marker::partition;
use urbis_output::{Marker, Staging};
use urbis_store::object_store::memory::InMemory;
use urbis_store::object_store::path::Path as Key;
use urbis_store::object_store::{
    self, CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, ObjectStoreExt,
    PutMode, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result as ObjectResult,
};
use urbis_store::{Pulled, Pushed, Store};

/// A city package whose layers are a few bytes: nobody reads them.
fn package(place: &Path, content: &str) -> PathBuf {
    let package = place.join(format!("city-{content}"));
    for layer in ["buildings", "links", "nodes", "pois", "zones"] {
        let path = package.join(format!("layers/{layer}.parquet"));
        write_whole(&path, format!("{layer} {content}").as_bytes()).unwrap();
    }
    package
}

/// Puts a finished run into a folder, `trips` of which has this content.
fn run(out: &Path, package: &Path, scenario: &str, seed: u64, trips: &[u8]) {
    let partition = partition(scenario, seed);
    let staging = Staging::new(out, &id(scenario, seed), &partition, package).unwrap();
    let mut vouched = Vec::new();
    for (table, content) in [("trips", trips), ("kpis", b"figures"), ("runs", b"where and when")] {
        let name = format!("{table}/{partition}/part-0.parquet");
        write_whole(&staging.folder().join(&name), content).unwrap();
        if table != "runs" {
            vouched.push((name, sha256_hex(content)));
        }
    }
    staging.commit(&vouched).unwrap();
}

fn id(scenario: &str, seed: u64) -> String {
    sha256_hex(format!("{scenario} {seed}").as_bytes())[..16].to_owned()
}

fn push(store: &Store, out: &Path, seed: u64) -> urbis_core::Result<Pushed> {
    store.push(out, "a", seed, &id("a", seed))
}

fn pull(store: &Store, folder: &Path) -> urbis_core::Result<Pulled> {
    store.pull(folder, "study", &|_, _| true)
}

fn hash(folder: &Path) -> String {
    sha256_file(&folder.join("_SUCCESS")).unwrap()
}

/// What an error says, each problem with its help.
fn said(error: urbis_core::Error) -> String {
    let urbis_core::Error::Input(problems) = error else { return error.to_string() };
    problems.listed().iter().map(|problem| format!("{problem}\n{}\n", problem.help_text().unwrap_or(""))).collect()
}

/// A folder with two runs, and a store in memory.
struct Scene {
    place: TempDir,
    objects: Arc<InMemory>,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { place: tempfile::tempdir().unwrap(), objects: Arc::new(InMemory::new()) };
        let city = package(scene.place.path(), "one");
        for seed in [1, 2] {
            run(&scene.out(), &city, "a", seed, format!("trips of {seed}").as_bytes());
        }
        scene
    }
    fn out(&self) -> PathBuf {
        self.folder("out")
    }
    fn folder(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }
    /// The store as another machine sees it.
    fn store(&self) -> Store {
        Store::over(self.objects.clone(), "some/prefix", "memory:///some/prefix").unwrap()
    }
    fn block<T>(&self, work: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
    }
    fn put(&self, name: &str, bytes: &[u8]) {
        let key = Key::from(format!("some/prefix/{name}"));
        self.block(self.objects.put(&key, bytes.to_vec().into())).unwrap();
    }
    fn get(&self, name: &str) -> Option<Vec<u8>> {
        let key = Key::from(format!("some/prefix/{name}"));
        self.block(async { Some(self.objects.get(&key).await.ok()?.bytes().await.unwrap().to_vec()) })
    }
    fn remove(&self, name: &str) {
        self.block(self.objects.delete(&Key::from(format!("some/prefix/{name}")))).unwrap();
    }
}

#[test]
fn what_is_pulled_is_the_folder_that_was_pushed() {
    let scene = Scene::new();
    let store = scene.store();
    assert_eq!((store.runs().unwrap().len(), store.hash().unwrap()), (0, None));
    let error = pull(&store, &scene.folder("nothing")).unwrap_err();
    assert!(said(error).contains("no finished run\nput runs there: `urbis results push DIR URL`"));
    for seed in [1, 2] {
        assert_eq!(push(&store, &scene.out(), seed).unwrap(), Pushed::Now);
    }
    assert_eq!(push(&store, &scene.out(), 1).unwrap(), Pushed::Before, "once more is no harm");
    assert_eq!(store.finished().unwrap(), [("a".to_owned(), 1), ("a".to_owned(), 2)].into());
    assert_eq!(store.run("a", 2).unwrap().unwrap().run_id, id("a", 2));
    assert_eq!(store.hash().unwrap().unwrap(), hash(&scene.out()));
    assert_eq!(scene.get("_SUCCESS"), None);
    store.seal().unwrap();
    assert_eq!(scene.get("_SUCCESS").unwrap(), std::fs::read(scene.out().join("_SUCCESS")).unwrap());
    store.put_note("study/study.toml", b"name = \"a\"\n").unwrap();

    let one = scene.folder("one");
    let pulled = store.pull(&one, "study", &|_, seed| seed == 2).unwrap();
    assert_eq!(pulled, Pulled { fetched: 1, kept: 0 });
    assert!(!one.join("study").exists() && !one.join("trips/scenario=a/seed=1").exists());
    assert_eq!(pull(&store, &one).unwrap(), Pulled { fetched: 1, kept: 1 });
    assert_eq!(hash(&one), hash(&scene.out()));
    for name in Marker::read(&one).unwrap().files.keys().map(String::as_str).chain(["study/study.toml"]) {
        let pushed =
            if name.starts_with("study") { scene.get(name) } else { std::fs::read(scene.out().join(name)).ok() };
        assert_eq!(std::fs::read(one.join(name)).ok(), pushed, "{name}");
    }
    assert_eq!(std::fs::read(one.join("runs/scenario=a/seed=1/part-0.parquet")).unwrap(), b"where and when");
    let hidden = std::fs::read_dir(&one)
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'));
    assert_eq!(hidden.count(), 0);
    let error = store.pull(&one, "study", &|name, _| name == "b").unwrap_err();
    assert!(said(error).contains("no such finished run\nfinished runs here: a seed 1, a seed 2"));
}

#[test]
fn of_pushes_at_once_exactly_one_commits() {
    let scene = Scene::new();
    for _ in 0..20 {
        let race = Scene { place: tempfile::tempdir().unwrap(), objects: Arc::new(InMemory::new()) };
        let found: Vec<Pushed> = std::thread::scope(|scope| {
            let of = |_| scope.spawn(|| push(&race.store(), &scene.out(), 1).unwrap());
            let threads: Vec<_> = (0..4).map(of).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(found.iter().filter(|pushed| **pushed == Pushed::Now).count(), 1, "{found:?}");
        assert_eq!(pull(&race.store(), &race.folder("back")).unwrap().fetched, 1);
    }
}

#[test]
fn other_content_is_refused_with_both_hashes_and_touches_nothing() {
    let scene = Scene::new();
    push(&scene.store(), &scene.out(), 1).unwrap();
    let city = package(scene.place.path(), "one");
    let other = scene.folder("other");
    run(&other, &city, "a", 1, b"other trips");
    run(&other, &city, "a", 2, b"other trips");
    let theirs = sha256_hex(&scene.get("_commits/scenario=a/seed=1/_SUCCESS").unwrap());
    let text = said(push(&scene.store(), &other, 1).unwrap_err());
    for part in ["_commits/scenario=a/seed=1/_SUCCESS: holds other content", &theirs, "choose another URL"] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let hashes = text.split(|c: char| !c.is_ascii_hexdigit()).filter(|word| word.len() == 64);
    assert_eq!(hashes.collect::<std::collections::BTreeSet<_>>().len(), 2, "{text}");
    let there = scene.get("trips/scenario=a/seed=1/part-0.parquet").unwrap();
    assert_eq!(there, b"trips of 1", "what is finished stays");

    // Of contents that come at once, one is the first, and its objects are not mixed with those of others.
    for _ in 0..20 {
        let race = Scene { place: tempfile::tempdir().unwrap(), objects: Arc::new(InMemory::new()) };
        let found: Vec<bool> = std::thread::scope(|scope| {
            let of = |out: PathBuf, race: &'_ Scene| push(&race.store(), &out, 2).is_ok();
            let race = &race;
            let threads: Vec<_> =
                [scene.out(), other.clone()].map(|out| scope.spawn(move || of(out, race))).into_iter().collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(found.iter().filter(|done| **done).count(), 1, "{found:?}");
        assert_eq!(pull(&race.store(), &race.folder("back")).unwrap().fetched, 1);
    }

    // A run of another city does not mix its layers with those of the others.
    let elsewhere = scene.folder("elsewhere");
    run(&elsewhere, &package(scene.place.path(), "two"), "b", 1, b"trips");
    let text = said(scene.store().push(&elsewhere, "b", 1, &id("b", 1)).unwrap_err());
    assert!(text.contains("_commits/layers/_SUCCESS: holds other content"), "{text}");
    assert_eq!(scene.store().finished().unwrap().len(), 1);
}

/// A store that takes so many objects and no more, and may not know what a condition is.
#[derive(Debug)]
struct Faulty {
    objects: Arc<InMemory>,
    puts_left: AtomicUsize,
    knows_conditions: bool,
}

impl std::fmt::Display for Faulty {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("faulty")
    }
}

#[async_trait::async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(&self, key: &Key, payload: PutPayload, mut options: PutOptions) -> ObjectResult<PutResult> {
        if self.puts_left.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1)).is_err() {
            return Err(object_store::Error::Generic { store: "faulty", source: "the line is dead".into() });
        }
        if !self.knows_conditions {
            options.mode = PutMode::Overwrite;
        }
        self.objects.put_opts(key, payload, options).await
    }
    async fn put_multipart_opts(
        &self,
        key: &Key,
        options: PutMultipartOptions,
    ) -> ObjectResult<Box<dyn MultipartUpload>> {
        self.objects.put_multipart_opts(key, options).await
    }
    async fn get_opts(&self, key: &Key, options: GetOptions) -> ObjectResult<GetResult> {
        self.objects.get_opts(key, options).await
    }
    fn delete_stream(&self, keys: BoxStream<'static, ObjectResult<Key>>) -> BoxStream<'static, ObjectResult<Key>> {
        self.objects.delete_stream(keys)
    }
    fn list(&self, prefix: Option<&Key>) -> BoxStream<'static, ObjectResult<ObjectMeta>> {
        self.objects.list(prefix)
    }
    async fn list_with_delimiter(&self, prefix: Option<&Key>) -> ObjectResult<ListResult> {
        self.objects.list_with_delimiter(prefix).await
    }
    async fn copy_opts(&self, from: &Key, to: &Key, options: CopyOptions) -> ObjectResult<()> {
        self.objects.copy_opts(from, to, options).await
    }
}

impl Scene {
    fn faulty(&self, puts: usize, knows_conditions: bool) -> Store {
        let objects = Faulty { objects: self.objects.clone(), puts_left: puts.into(), knows_conditions };
        Store::over(Arc::new(objects), "some/prefix", "memory:///some/prefix").unwrap()
    }
}

#[test]
fn broken_off_after_any_object_it_is_not_there_and_is_done_again() {
    let scene = Scene::new();
    let mut puts = 0;
    loop {
        // What an earlier push left is in the way of none.
        let pushed = push(&scene.faulty(puts, true), &scene.out(), 1);
        if pushed.is_ok() {
            break;
        }
        let text = pushed.unwrap_err().to_string();
        assert!(text.contains("memory:///some/prefix/") && text.contains("the line is dead"), "{text}");
        assert!(scene.store().finished().unwrap().is_empty() && scene.store().hash().unwrap().is_none());
        assert!(pull(&scene.store(), &scene.folder("back")).is_err());
        puts += 1;
    }
    // At the least: what has begun, three tables, what is finished.
    assert!(puts >= 5, "{puts}");
    assert_eq!(pull(&scene.store(), &scene.folder("back")).unwrap().fetched, 1);
}

#[test]
fn a_store_without_conditions_is_refused() {
    let scene = Scene::new();
    let text = said(push(&scene.faulty(100, false), &scene.out(), 1).unwrap_err());
    assert!(text.contains("_STARTED: the store put it twice") && text.contains("If-None-Match"), "{text}");
    assert!(scene.get("layers/links.parquet").is_none() && scene.store().finished().unwrap().is_empty());
}

#[test]
fn a_push_that_was_broken_off_is_not_there_and_is_done_again() {
    let scene = Scene::new();
    let lost = scene.out().join("trips/scenario=a/seed=2/part-0.parquet");
    let content = std::fs::read(&lost).unwrap();
    std::fs::remove_file(&lost).unwrap();
    let error = push(&scene.store(), &scene.out(), 2).unwrap_err();
    assert!(error.to_string().contains("cannot read"), "{error}");
    std::fs::write(&lost, b"not what it was").unwrap();
    let text = said(push(&scene.store(), &scene.out(), 2).unwrap_err());
    assert!(text.contains("part-0.parquet: changed since _SUCCESS was written"), "{text}");
    assert!(scene.store().runs().unwrap().is_empty() && scene.store().run("a", 2).unwrap().is_none());
    assert_eq!(scene.store().started().unwrap().len(), 1);
    assert!(pull(&scene.store(), &scene.folder("back")).is_err());

    scene.put("trips/scenario=a/seed=2/part-0.parquet", b"half");
    std::fs::write(&lost, content).unwrap();
    assert_eq!(push(&scene.store(), &scene.out(), 2).unwrap(), Pushed::Now);
    assert_eq!(pull(&scene.store(), &scene.folder("back")).unwrap().fetched, 1);

    // Other content waits for a person to say that nobody pushes any more.
    scene.remove("_commits/scenario=a/seed=2/_SUCCESS");
    let other = scene.folder("other");
    run(&other, &package(scene.place.path(), "one"), "a", 2, b"other trips");
    let text = said(push(&scene.store(), &other, 2).unwrap_err());
    assert!(
        text.contains("a push of other content has begun here") && text.contains("_STARTED and push again"),
        "{text}"
    );
    scene.remove("_commits/scenario=a/seed=2/_STARTED");
    assert_eq!(push(&scene.store(), &other, 2).unwrap(), Pushed::Now);
}

#[test]
fn large_files_go_part_by_part() {
    let scene = Scene::new();
    let large: Vec<u8> = (0..20_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    run(&scene.out(), &package(scene.place.path(), "one"), "a", 3, &large);
    let path = scene.out().join("trips/scenario=a/seed=3/part-0.parquet");
    std::fs::write(&path, &large[1..]).unwrap();
    let text = said(push(&scene.store(), &scene.out(), 3).unwrap_err());
    assert!(text.contains("changed since _SUCCESS was written"), "{text}");
    assert_eq!(scene.get("trips/scenario=a/seed=3/part-0.parquet"), None, "given up before it is an object");
    std::fs::write(&path, &large).unwrap();
    assert_eq!(push(&scene.store(), &scene.out(), 3).unwrap(), Pushed::Now);
    assert!(scene.get("trips/scenario=a/seed=3/part-0.parquet").unwrap() == large);
    assert_eq!(pull(&scene.store(), &scene.folder("back")).unwrap().fetched, 1);
}

#[test]
fn objects_that_are_not_what_they_were_are_refused_by_name() {
    let scene = Scene::new();
    for seed in [1, 2] {
        push(&scene.store(), &scene.out(), seed).unwrap();
    }
    let name = "trips/scenario=a/seed=1/part-0.parquet";
    let mut bytes = scene.get(name).unwrap();
    bytes[3] ^= 1;
    scene.put(name, &bytes);
    scene.remove("kpis/scenario=a/seed=1/part-0.parquet");
    let back = scene.folder("back");
    let text = said(pull(&scene.store(), &back).unwrap_err());
    for part in [
        "memory:///some/prefix/trips/scenario=a/seed=1/part-0.parquet: its hash is ",
        "memory:///some/prefix/kpis/scenario=a/seed=1/part-0.parquet: absent, but _SUCCESS vouches for its run",
        "remove the run with its folder below _commits",
    ] {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let files = Marker::read(&back).unwrap().files;
    assert!(files.keys().any(|name| name.contains("seed=2")) && !files.keys().any(|name| name.contains("seed=1")));
    assert!(!back.join("trips/scenario=a/seed=1").exists(), "the others are whole, this one is not there");

    scene.put("layers/links.parquet", b"other links");
    let text = said(pull(&scene.store(), &scene.folder("again")).unwrap_err());
    assert!(text.contains("layers/links.parquet: its hash is "), "{text}");
    assert!(!scene.folder("again/_SUCCESS").exists());
    scene.put("_commits/scenario=a/seed=1/_SUCCESS", b"# run x\n0  trips\n");
    let text = said(scene.store().runs().unwrap_err());
    assert!(text.contains("_commits/scenario=a/seed=1/_SUCCESS row 1: line = 0  trips"), "{text}");
}
