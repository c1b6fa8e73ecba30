.DEFAULT_GOAL := help
.PHONY: help app bench-app e2e e2e-console e2e-browser e2e-shell android-check screenshots demo test check bench load media-kill sim sim-faults oracle power-cuts kills audit fuzz-town release-fixtures package operations interop bench-console

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

demo: ## a town with its console, two phones, the app's window; reports offline, sync
	scripts/demo
test: ## everything that must hold: check, all Rust tests, the independent Python checks
	scripts/test
check: ## format, clippy, rustdoc, audit
	scripts/check
app: ## the phone's screens in a browser on this machine: http://127.0.0.1:8787
	scripts/app
e2e-console: ## the supervisors' console in a browser against a real town
	scripts/e2e-console
e2e-browser: ## the app in a browser against a real town
	scripts/e2e-browser
e2e-shell: ## the app in its own window against a real town: the part that `make test` runs
	scripts/e2e-shell
e2e: e2e-browser e2e-console ## every flow, in the browsers and in the app's own window
	scripts/e2e-shell --all
android-check: ## type-check the app for Android, without an SDK (root; the first time 15 minutes and 7 GB)
	scripts/android-check
screenshots: ## pictures of every screen, into docs/screens
	PICTURES=1 scripts/e2e-browser
	PICTURES=1 scripts/e2e-console
bench: ## measurements beside peers: one table in target/bench/bench.md; quick=1 in 5 minutes
	QUICK=$(quick) scripts/bench
bench-console: ## times of the supervisors' console in a town with 100,000 records
	scripts/bench-console
bench-app: ## the app with 20,000 records in a browser: what a person waits for
	scripts/bench-app
load: ## 910 phones over HTTPS against a real town: morning rush and a day; nothing lost, nothing twice
	scripts/load
media-kill: ## 200 photos over a line that breaks everywhere; phone and town killed 100 times each
	scripts/media-kill
sim: ## a town simulated with every kind of fault: make sim seeds=10000 devices=50 weeks=6 first=1
	scripts/sim "$(seeds)" "$(devices)" "$(weeks)" "$(first)"
sim-faults: ## rules of the product broken on purpose: each is noticed within 500 seeds
	cargo test --locked -p yaoguan-sim --features faults --test faults -- --test-threads 1 --nocapture
oracle: ## the oracle on random histories: make oracle runs=1000000
	scripts/oracle $(runs)
power-cuts: ## 1,000 power cuts on phones and at the town
	scripts/power-cuts
kills: ## 1,000 SIGKILLs of the real programs
	scripts/kills
audit: ## licences, banned crates, one SQLite
	scripts/audit
package: ## the archive that a town is installed from
	scripts/package
operations: ## follow docs/OPERATIONS word by word on a fresh Debian (root)
	scripts/operations
fuzz-town: ## schemathesis over a running town, by its own description (EXAMPLES=50)
	scripts/fuzz-town
release-fixtures: ## data and an exchange of this release, kept for its successors: make release-fixtures version=0.1
	cargo build --locked -p yaoguan-cli
	scripts/release-fixtures $(version) $${CARGO_TARGET_DIR:-target}/debug
interop: ## GDAL, LibreOffice, tus-js-client and exiftool against a real town (installs them)
	scripts/interop
