# Sourced by the scripts beside it: the root as working directory, and stages that say how long they took.
cd "$(dirname "${BASH_SOURCE[0]}")/.."

now_ms() { echo $(( ${EPOCHREALTIME/[.,]/} / 1000 )); }

# seconds FROM_MS: the time since, with one decimal.
seconds() { local ms=$(( $(now_ms) - $1 )); echo "$(( ms / 1000 )).$(( ms % 1000 / 100 ))"; }

# stage NAME COMMAND…: runs it between a title and the seconds it took. Not to be called in a condition:
# `set -e` would be off in there.
stage() {
    local name=$1 begun
    shift
    begun=$(now_ms)
    [[ -z ${GITHUB_ACTIONS:-} ]] || echo "::group::$name"
    echo "== $name"
    "$@"
    [[ -z ${GITHUB_ACTIONS:-} ]] || echo "::endgroup::"
    echo "== $name: $(seconds "$begun") s"
}
