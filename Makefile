# make run    sets up, builds, runs the demonstration        make test   sets up, builds, runs every test
# make build  the libraries only                             make generate   what is derived from Swift declarations
# make bench  installs peers, compares with them             (BENCH="--quick --only nms" to narrow it)
.DEFAULT_GOAL := build
.PHONY: build generate bench test-exhaustive

GENERATOR := .build-generator/interface-generator

$(GENERATOR): $(wildcard Sources/InterfaceGenerator/*.swift)
	@mkdir -p $(dir $@)
	swiftc -O $^ -o $@

# Rewrites the header, the dispatcher's entries, the exports and the ctypes prototypes; unchanged files keep their date.
generate: $(GENERATOR)
	@$(GENERATOR) .

build: generate
	@cmake -B build -G Ninja >/dev/null
	@cmake --build build

bench: build
	@python3 Tests/Benchmarks/bench.py $(BENCH)

# The elementary functions over all 2^32 floats, and against mpmath: half an hour on two cores.
test-exhaustive:
	@$(MAKE) -C Tests/Exhaustive
