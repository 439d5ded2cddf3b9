# The common tasks. `make` alone explains them.

export PATH := $(PATH):$(if $(CARGO_HOME),$(CARGO_HOME),$(HOME)/.cargo)/bin
# The notebook test keeps its Python environment here between runs.
export URBIS_NOTEBOOK_VENV ?= $(CURDIR)/target/notebook-venv
# The tests of HyperQueue and Dask keep theirs here.
export URBIS_ENGINES_VENV ?= $(CURDIR)/target/engines-venv

URBIS := target/release/urbis

.DEFAULT_GOAL := help
.PHONY: help setup build demo test bench check clean

help: ## This list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

setup: ## Install the system packages that are missing (root or sudo)
	@tools/setup

build: setup ## Build the program target/release/urbis
	cargo build --release --locked -p urbis-cli

demo: build ## Monaco: build the city, compare two policies over five paired days, draw a day, write the report
	$(URBIS) city build assets/monaco/city.toml --out cities/monaco
	$(URBIS) batch run scenarios/monaco/study.toml --out out/monaco
	$(URBIS) draw out/monaco --scenario baseline --seed 1 --out out/monaco.svg
	$(URBIS) compare out/monaco --base baseline
	$(URBIS) report out/monaco --out out/monaco.html
	@echo
	@echo "Results   $(CURDIR)/out/monaco (Parquet: pandas.read_parquet('out/monaco/trips'))"
	@echo "Picture   $(CURDIR)/out/monaco.svg"
	@echo "Report    $(CURDIR)/out/monaco.html (open it in a browser)"
	@echo "Next      $(URBIS) appraise out/monaco --base baseline"

test: setup ## Every test
	@tools/setup --tests
	cargo test --release --workspace --locked

bench: setup ## Benches of kernels and whole steps; the table is out/bench.md
	cargo bench --locked -p urbis-benches
	cargo run --release --locked -p urbis-benches --bin bench-table

check: setup ## What continuous integration checks beside the tests
	cargo run --locked -p check

clean: ## Remove everything that was built, cities and results included
	cargo clean
	rm -rf cities out
