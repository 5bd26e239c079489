# gongkai: every target is one line over cargo or a script. `make` lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test lint deploy-lint deploy-check deploy-boot release release-check ipv6-check accuracy bench chaos soak county workbook fuzz doc gen up

help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile

demo: ## Builds, starts everything on free ports, feeds the sample reports, serves until Ctrl-C (ONCE=1: stops by itself)
	@deploy/local/demo.sh

test: ## Runs every test over a throw-away real nats-server (T=filter runs some)
	@tests/scripts/test.sh $(T)

lint: ## Format, clippy, docs, unused dependencies, licences, bans, protobuf lint
	@tests/scripts/lint.sh

deploy-lint: ## Lints the files of deploy/ (ONLY="systemd compose" runs some)
	@tests/scripts/deploy_lint.sh $(ONLY)

deploy-check: ## Runs the pipeline over the files of deploy/nats: every identity tries what it must not do, a cluster loses its leader, a hub copies a province, a stopped parse raises its alert, a release is installed, the demo runs without IPv4
	@tests/scripts/deploy_check.sh

deploy-boot: ## Boots a container with systemd and installs the release there as deploy/README.md says (needs root, systemd-nspawn, `make release`)
	@tests/scripts/deploy_boot.sh

release: ## Makes the tarball, package and image of each CPU in target/dist, with sums and a signature (GONGKAI_RELEASE_KEY=file; half an hour)
	@deploy/release/release.sh

release-check: ## Installs, runs, upgrades and removes what `make release` made, without a network (needs root, objdump)
	@tests/scripts/release_check.sh

ipv6-check: ## Runs the demo in a network namespace that has ::1 only
	@tests/scripts/ipv6_check.sh

accuracy: ## Prints how many cells are read right, by format; fails on a silently wrong one (GONGKAI_CORPUS=folder adds reports)
	@cargo run --quiet -p gongkai-tests --bin accuracy -- $${GONGKAI_CORPUS:+"$$GONGKAI_CORPUS"}

bench: ## Prints the figures, each as a ratio taken in one run (GONGKAI_CORPUS=folder adds reports)
	@tests/scripts/bench.sh

chaos: ## Kills, suspends and ends processes and the broker under load, then holds the invariants to it, for T seconds (T=300; SEED=n repeats a plan)
	@tests/scripts/chaos.sh $(or $(T),300) $(SEED)

soak: ## Tells COUNT random stories of publications, failures and crashes over a broker in memory, reads COUNT edited reports, sends COUNT messages over each robot, and lets a year of deadlines pass over 5000 agencies (COUNT=10000; SEED=n begins elsewhere)
	@tests/scripts/soak.sh $(or $(COUNT),10000) $(SEED)

county: ## Holds gongkai check over a folder of N bodies against a deployment over the same files, finding by finding (N=60)
	@tests/scripts/county.sh $(or $(N),60)

workbook: ## Prints the workbook and the notice of N bodies by LibreOffice (installed if missing): A4, one page wide, no row clipped (N=60)
	@tests/scripts/workbook.sh $(or $(N),60)

fuzz: ## Fuzzes every format and the matcher, T seconds each (T=60; ONLY="html pdf" runs some)
	@tests/scripts/fuzz.sh $(ONLY)

doc: ## Builds the documentation of the crates
	cargo doc --workspace --no-deps

gen: ## Regenerates proto/src/gen from the .proto files, and the wire samples of this version
	GONGKAI_GEN=write cargo test --quiet -p gongkai-proto --test codegen
	GONGKAI_GEN=write cargo test --quiet -p gongkai-proto --test wire

up: ## Builds and runs everything on this machine on the default ports
	cargo run --quiet -p gongkai -- up
