.DEFAULT_GOAL := help
.PHONY: help app bench-app e2e-console e2e-browser screenshots demo test check bench sim audit package operations

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST)

demo: ## a town and two phones on this machine: report offline, sync, read on the other
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
screenshots: ## pictures of every screen, into docs/screens
	PICTURES=1 scripts/e2e-browser
bench: ## measurements
	scripts/bench
bench-app: ## the app with 20,000 records in a browser: what a person waits for
	scripts/bench-app
sim: ## the oracle on random histories: make sim runs=1000000
	scripts/sim $(runs)
audit: ## licences, banned crates, one SQLite
	scripts/audit
package: ## the archive that a town is installed from
	scripts/package
operations: ## follow docs/OPERATIONS word by word on a fresh Debian (root)
	scripts/operations
