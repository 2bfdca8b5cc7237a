# shellcheck shell=bash
# What .ci/run and .ci/nightly share. Both source it from the root of the repository, with their arguments.

export CARGO_INCREMENTAL=0
export CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-never}"
# Tools that take minutes to build, compiled C and results, all by version: kept from run to run.
tools="${CI_TOOLS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/fastkafka-ci}"
target="${CARGO_TARGET_DIR:-$PWD/target}"
mkdir -p "$tools"

typos_version=1.52.0
kubernetes_validate_version=1.37.0
deny_version=0.20.2

current=setup
ran=()
not_run=

# The stages that the command line names, or all.
wanted=" $* "
all_done=

# The last command of both scripts: a signal or an error ends them without it.
all_stages_done() {
    local name
    for name in $wanted; do
        [[ " ${ran[*]} " == *" $name ("* ]] || { echo "ci: there is no stage '$name'" >&2; return 1; }
    done
    all_done=yes
}

finish() {
    local code=$?
    if [[ $all_done ]]; then
        echo "ci: passed in ${SECONDS} s: ${ran[*]}"
    else
        echo "ci: FAILED at '$current' after ${SECONDS} s; passed before it: ${ran[*]:-nothing}" >&2
        exit "$((code == 0 ? 1 : code))"
    fi
}
trap finish EXIT

# stage NAME COMMAND..
stage() {
    [[ $wanted == "  " || $wanted == *" $1 "* ]] || return 0
    current=$1
    not_run=
    local began=$SECONDS said
    echo "=== $1"
    "${@:2}"
    said="$((SECONDS - began)) s"
    [[ -z $not_run ]] || said="NOT RUN: $not_run"
    echo "=== $1: $said"
    ran+=("$1 ($said)")
}

# skipped REASON: the stage stands in the last line with its reason, and not with a time.
skipped() {
    not_run=$1
}

apt_updated=
# need PACKAGE COMMAND..: installs the Debian package unless the command succeeds.
need() {
    local package=$1 as_root=()
    "${@:2}" >/dev/null 2>&1 && return
    command -v apt-get >/dev/null || { echo "ci: install $package (Debian's name) first" >&2; return 1; }
    ((EUID == 0)) || as_root=(sudo)
    [[ $apt_updated ]] || "${as_root[@]}" apt-get update -qq
    apt_updated=yes
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package"
}

# What compiling needs. C is compiled once, whatever the target directory: librdkafka alone is built
# for each set of features that a stage asks for.
compilers() {
    need build-essential sh -c 'command -v cc && command -v c++ && command -v make'
    need python3 command -v python3
    need ccache command -v ccache
    # For the feature `gssapi`, which clippy turns on.
    need libsasl2-dev sh -c 'echo "#include <sasl/sasl.h>" | cc -E - -o /dev/null'
    local name links="$tools/ccache-links"
    mkdir -p "$links"
    for name in cc gcc c++ g++; do
        ln -sf "$(command -v ccache)" "$links/$name"
    done
    export PATH="$links:$PATH" CCACHE_DIR="$tools/ccache" CCACHE_MAXSIZE=2G
    # Build scripts compile in their OUT_DIR, which another clone has elsewhere.
    export CCACHE_NOHASHDIR=1 CCACHE_BASEDIR="$target"
}

# Stages name no package for what they build: with `-p` Cargo would choose other features for shared
# dependencies, and build those again. This is what `cargo test --workspace` has built, and the rest
# of the binaries and examples.
programs() {
    cargo build -q --workspace --tests --bins --examples
}

# The features of the lanes that need more than Rust and C.
lanes=it/kafka,conformance/kafka,kafka-lab/kafka,codecs/python

# Tests on Apache Kafka that take longer than a minute, most of it to start and stop brokers. .ci/nightly runs them.
long_on_kafka=(
    kafka::bad_input::a_broker_that_hangs_or_is_away_loses_nothing
    kafka::clusters::two_clusters_have_the_same_topic_and_the_same_group_each_with_its_own_offsets
    kafka::flights::processes_killed_under_load_lose_nothing_and_repeat_one_commit_interval
    kafka::incarnations::a_batch_that_cannot_be_read_is_named_and_a_seek_leaves_it
    kafka::incarnations::a_log_that_was_cut_and_has_grown_again_stops_its_partition_or_goes_on_where_it_was_cut
    kafka::late_starts::a_new_partition_without_a_leader_does_not_hold_up_the_others
    kafka::late_starts::a_service_starts_though_a_partition_of_its_topic_has_no_leader
    kafka::scraped::without_a_kill_its_counters_are_the_ledgers_and_with_kills_only_what_was_not_scraped_is_missing
)

# all_test_programs [CARGO'S OPTION..]: PACKAGE TARGET FOLDER EXECUTABLE of each test executable. A package
# is named as its folder, which is where Cargo runs its tests.
all_test_programs() {
    cargo test -q --workspace --no-run --message-format=json "$@" | python3 -c '
import json, os, sys
for message in map(json.loads, sys.stdin):
    if message.get("executable") and message["profile"]["test"]:
        folder = os.path.dirname(message["manifest_path"])
        print(os.path.basename(folder), message["target"]["name"], folder, message["executable"])'
}

# test_programs PACKAGE TARGET [CARGO'S OPTION..]: FOLDER EXECUTABLE of those; a TARGET of `*` stands for all.
test_programs() {
    local all
    all=$(all_test_programs "${@:3}")
    awk -v package="$1" -v target="$2" '
        $1 == package && (target == "*" || $2 == target) { print $3, $4; found = 1 }
        END { if (!found) { print "ci: " package " has no test executable " target > "/dev/stderr"; exit 1 } }' <<<"$all"
}

# at FOLDER COMMAND..: as Cargo runs a test. That of a proc-macro crate wants Rust's own libraries.
at() {
    (cd "$1" && LD_LIBRARY_PATH=$(rustc --print target-libdir) "${@:2}" </dev/null)
}

# lane_test PACKAGE TARGET [OPTION..]: runs a test executable with the features of the lanes.
lane_test() {
    local programs folder program
    programs=$(test_programs "$1" "$2" --features "$lanes")
    read -r folder program <<<"$programs"
    at "$folder" "$program" "${@:3}"
}

# valgrind_lane PACKAGE [FILTER..]: the package's tests whose names hold one of the filters, or all.
# leaks=no: for tests that leave a client to the end of the process on purpose.
valgrind_lane() {
    need valgrind command -v valgrind
    local programs folder program count=0 tests
    programs=$(test_programs "$1" '*')
    while read -r folder program; do
        tests=$(at "$folder" "$program" --list "${@:2}" | grep -c ': test$' || true)
        ((tests > 0)) || continue
        count=$((count + tests))
        at "$folder" valgrind --quiet --error-exitcode=1 --fair-sched=yes \
            --leak-check="${leaks:-full}" --show-leak-kinds=definite --errors-for-leak-kinds=definite \
            "$program" --test-threads=1 "${@:2}"
    done <<<"$programs"
    ((count > 0)) || { echo "ci: no test of $1 matches: ${*:2}" >&2; return 1; }
}

# The engine, the world around it and their search, as one number.
searched_sources() {
    git ls-files -s -- crates/fastkafka-engine crates/fastkafka-sim tools/proof/src ':!tools/proof/src/shell' |
        sha256sum | cut -c1-16
}

# The search takes minutes and the engine seldom changes: tools/proof/searched has the number of the sources for
# which it was complete. .ci/nightly searches in any case.
engine_proof() {
    local record=tools/proof/searched
    if [[ $(cat "$record") == "$(searched_sources)" && -z $(git status --porcelain crates/fastkafka-engine crates/fastkafka-sim tools/proof/src) ]]; then
        echo "the search of these sources is complete: $record"
        return
    fi
    proof pairs
    searched_sources >"$record"
    echo "$record has the number of these sources now: commit it"
}

# proof LIST: a search depends on nothing but its sources and the compiler, so what has passed is not
# searched again.
proof() {
    local key sources
    sources=(crates/fastkafka-engine crates/fastkafka-sim tools/proof Cargo.toml Cargo.lock rust-toolchain.toml)
    # The driver and the client's machines.
    [[ $1 != shell ]] || sources+=(crates/fastkafka-core crates/fastkafka-kafka crates/fastkafka-log crates/fastkafka-macros crates/fastkafka-runtime)
    key=$(
        git ls-files -s -- "${sources[@]}"
        git diff HEAD -- "${sources[@]}"
    )
    key="$tools/proved/$1-$(sha256sum <<<"$key" | cut -c1-16)"
    if [[ -f $key ]]; then
        echo "these sources have passed before:"
        cat "$key"
        return
    fi
    mkdir -p "$tools/proved"
    cargo run -q --release -p proof -- "$1" | tee "$key.running"
    mv "$key.running" "$key"
}
