# gongkai: every target is one line over cargo or a script in deploy/. `make` lists them.
.DEFAULT_GOAL := help
.PHONY: help demo test lint bench doc gen up

help: ## Lists the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

demo: ## Builds, starts everything on free ports, feeds the sample reports, serves until Ctrl-C (ONCE=1: stops by itself)
	@deploy/demo.sh

test: ## Runs every test over a throw-away real nats-server (T=filter runs some)
	@deploy/test.sh $(T)

lint: ## Format, clippy, docs, licences, bans, protobuf lint
	@deploy/lint.sh

bench: ## Prints the figures, each as a ratio taken in one run
	@deploy/bench.sh

doc: ## Builds the documentation of the crates
	cargo doc --workspace --no-deps

gen: ## Regenerates proto/src/gen from the .proto files
	GONGKAI_GEN=write cargo test --quiet -p gongkai-proto --test codegen

up: ## Builds and runs everything on this machine on the default ports
	cargo run --quiet -p gongkai -- up
