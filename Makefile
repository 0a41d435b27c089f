# make run    sets up, builds, runs the demonstration        make test   sets up, builds, runs every test
# make build  the libraries only                             make generate   what is derived from Swift declarations
# make bench  installs peers, compares with them             (BENCH="--quick --only nms" to narrow it)
.DEFAULT_GOAL := build
.PHONY: build build-tools generate run test test-python test-wheel test-native bench test-exhaustive

GENERATOR := .build-generator/interface-generator
EXAMPLES := bindings/python/examples
EXAMPLE = PYTHONPATH=bindings/python/src .venv/bin/python $(EXAMPLES)

$(GENERATOR): $(wildcard Sources/InterfaceGenerator/*.swift)
	@mkdir -p $(dir $@)
	swiftc -O $^ -o $@

# Rewrites the header, the dispatcher's entries, the exports and the ctypes prototypes; unchanged files keep their date.
generate: $(GENERATOR)
	@$(GENERATOR) .

build-tools:
	@.ci/packages.sh cmake ninja g++

# CMAKE_OPTIONS="-DLOSSKIT_ONLY_TIER=avx512" builds for one instruction set, in a third of the time.
build: build-tools generate
	@cmake -B build -G Ninja $(CMAKE_OPTIONS) >/dev/null
	@cmake --build build

#--- The demonstration --------------------------------------------------------------------------------------------

build/document_layout: bindings/cpp/examples/document_layout.cpp build
	@g++ -std=c++17 -O2 -static -pthread -Wl,--gc-sections -Iinclude $< build/liblosskit.a -o $@

# A stamp's date says when its environment was last brought up to its lists of packages.
.venv/examples-installed: $(EXAMPLES)/requirements.txt $(EXAMPLES)/requirements-files.txt
	@.ci/packages.sh venv
	@.ci/environment.sh .venv -r $(EXAMPLES)/requirements.txt
	@.ci/environment.sh .venv --no-deps -r $(EXAMPLES)/requirements-files.txt
	@touch $@

run: .venv/examples-installed build/document_layout
	@mkdir -p out
	@echo
	@$(EXAMPLE)/document_layout.py out build/document_layout
	@echo
	@$(EXAMPLE)/portrait_faces.py out
	@echo
	@$(EXAMPLE)/digits_calibration.py out

#--- Tests --------------------------------------------------------------------------------------------------------

# The longest first, pytest last: its closing line is the one that is seen.
test: test-native test-wheel test-python

# ctest: the C interface, its consumers, the cross-build, Swift's unit tests, the elementary functions.
test-native: build .venv/tests-installed
	@Tests/run.sh build

.venv/tests-installed: Tests/Python/requirements.txt
	@.ci/packages.sh venv
	@.ci/environment.sh .venv -r Tests/Python/requirements.txt
	@touch $@

test-python: .venv/tests-installed build
	@echo "Python tests"
	@.venv/bin/python -m pytest -q -n auto Tests/Python

# The package as users install it, in an environment of its own.
test-wheel: build
	@.ci/packages.sh venv cmake ninja
	@Tests/wheel.sh .venv-wheel build/objects

#--- Benchmarks ---------------------------------------------------------------------------------------------------

bench: build
	@.ci/packages.sh venv
	@python3 Tests/Benchmarks/bench.py $(BENCH)

# The elementary functions over all 2^32 floats, and against mpmath: half an hour on two cores.
test-exhaustive:
	@$(MAKE) -C Tests/Exhaustive
