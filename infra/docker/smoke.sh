#!/usr/bin/env bash
# Does what docker-compose.yml promises hold? Builds the image, starts everything under a throwaway
# project name and port, waits for the sample report in the volume, prints it, checks that the server
# runs without root, is reachable from this machine only and ends in order on SIGTERM, and removes
# what it started (the builder keeps its cache). The last line says that all of it held.
set -euo pipefail
cd "$(dirname "$0")/../.."

project=almanac-smoke-$$
image=$project
override=$(mktemp)
log=$(mktemp)
printf 'services:\n  almanac:\n    image: %s\n' "$image" >"$override"

if docker compose version >/dev/null 2>&1; then command=(docker compose); else command=(docker-compose); fi
compose() { "${command[@]}" -p "$project" -f docker-compose.yml -f "$override" "$@"; }
fail() {
  printf 'smoke: %s\n' "$*" >&2
  exit 1
}
clean_up() {
  local status=$?
  [ $status = 0 ] || compose logs --no-color --tail=60 >&2 || true
  compose down --volumes --remove-orphans >/dev/null 2>&1 || true
  docker image rm "$image" >/dev/null 2>&1 || true
  rm -f "$override" "$log"
}
trap clean_up EXIT

# A port that is free; nothing of the caller's settings shall decide what is tested.
free='const s = require("net").createServer().listen(0, "127.0.0.1", () => { console.log(s.address().port); s.close() })'
ALMANAC_PORT=$(node -e "$free")
export ALMANAC_PORT ALMANAC_ENGINE=deterministic POSTGRES_PASSWORD=smoke$$

started=$SECONDS
docker build --force-rm --network host --tag "$image" --file infra/docker/Dockerfile . >"$log" 2>&1 || {
  cat "$log" >&2
  fail 'the image cannot be built'
}
built=$SECONDS
compose up -d --no-build
container=$(compose ps -q almanac)
state() { docker inspect --format "$1" "$container"; }

delivery='find /var/lib/almanac/deliveries -name delivery.json 2>/dev/null | grep .'
until note=$(compose exec -T almanac sh -c "$delivery") && [ "$(state '{{.State.Health.Status}}')" = healthy ]; do
  [ "$(state '{{.State.Running}}')" = true ] || fail 'almanac has ended'
  [ "$(state '{{.RestartCount}}')" = 0 ] || fail 'almanac was started again'
  [ $((SECONDS - built)) -lt 120 ] || fail 'no report, or not healthy, after 120 s'
  sleep 0.5
done
reported=$SECONDS
compose exec -T almanac cat "$(dirname "$note")/report.md"
echo

[ "$(compose exec -T almanac id -u)" != 0 ] || fail 'almanac runs as root'
docker port "$container" | grep -v -- '-> 127\.0\.0\.1:' && fail 'a port is published to other machines'
node -e 'fetch(process.argv[1]).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))' \
  "http://127.0.0.1:$ALMANAC_PORT/readyz" || fail 'the published port does not answer'
compose stop almanac
[ "$(state '{{.State.ExitCode}}')" = 0 ] || fail "SIGTERM ended almanac with $(state '{{.State.ExitCode}}')"

printf 'smoke: passed (image %d s, report %d s, end %d s)\n' \
  $((built - started)) $((reported - built)) $((SECONDS - reported))
