#!/bin/sh
# sh tools/bootstrap.sh SCRIPT [ARGUMENT...]: runs one of our TypeScript programs on a machine where nothing but Node and
# npm is prepared. Installs the Debian packages and npm modules that are missing, each only then, and hands over to the
# Node that package-lock.json names. Called by `npm start`, `npm test` and `npm run service`, also at the same time.
set -eu

# What the platform, its tests and its images need, each with a command or file that proves it where there is no dpkg.
requirements='
  busybox-static:busybox
  ca-certificates:/etc/ssl/certs/ca-certificates.crt
  cpio:cpio
  curl:curl
  debian-archive-keyring:/usr/share/keyrings/debian-archive-keyring.gpg
  e2fsprogs:mke2fs
  erofs-utils:mkfs.erofs
  golang-go:go
  iproute2:ip
  kmod:modprobe
  mmdebstrap:mmdebstrap
  nftables:nft
  passwd:useradd
  procps:ps
  qemu-system-x86:qemu-system-x86_64
  util-linux:setpriv
  xz-utils:xz
  zstd:zstd
'

fail() {
  printf '%s\n' "$@" >&2
  exit 1
}

now() { date +%s%3N; }

# step NAME COMMAND...: runs the command with its output in a file, shows that it goes on, and notes how long it took.
# The command runs in the foreground: so ctrl-C ends it, and a termination waits for it instead of leaving it behind.
step() {
  name=$1
  shift
  log=$(mktemp)
  begin=$(now)
  trap 'rm -f "$log"' EXIT
  # No handler is inherited: a signal that came before the child has dropped it would be lost, and the wait endless.
  trap - HUP INT TERM
  show_progress 9<&- &
  progress=$!
  trap 'exit 130' HUP INT TERM
  status=0
  "$@" >"$log" 2>&1 || status=$?
  kill "$progress" 2>/dev/null || true
  wait "$progress" 2>/dev/null || true
  [ ! -t 1 ] || printf '\r\033[K'
  if [ "$status" -ne 0 ]; then
    complaints=$(grep -E '^(E:|dpkg: error|npm error|npm ERR!)' "$log" | head -n 8)
    [ -z "$complaints" ] && tail -n 8 "$log" >&2 || echo "$complaints" >&2
    return 1
  fi
  rm -f "$log"
  took=$(($(now) - begin))
  times="$times $name=$took"
  echo "$name: done in $((took / 1000)).$((took % 1000 / 100)) s"
}

# Until it is ended, or its parent or the log is gone.
show_progress() {
  shown=$begin
  while kill -0 $$ 2>/dev/null && [ -e "$log" ]; do
    elapsed=$((($(now) - begin) / 1000))
    if [ -t 1 ]; then
      printf '\r\033[K%s: %s%s s' "$name" "$(last_line)" "$elapsed"
    elif [ $(($(now) - shown)) -ge 5000 ]; then
      echo "$name: $(last_line)$elapsed s"
      shown=$(now)
    fi
    sleep 0.5 >/dev/null 2>&1
  done
}

last_line() { tail -n 1 "$log" | tr -d '\r' | cut -c 1-60 | sed 's/$/, /'; }

# ── Debian packages ──

missing_packages() {
  if command -v dpkg-query >/dev/null; then
    # shellcheck disable=SC2046 # a list of words
    states=$(dpkg-query --show --showformat '|${db:Status-Status} ${Package}|' $(package_names) 2>/dev/null || true)
    for package in $(package_names); do
      case $states in *"|installed $package|"*) ;; *) printf '%s ' "$package" ;; esac
    done
  else
    for requirement in $requirements; do
      proof=${requirement#*:}
      command -v "$proof" >/dev/null || [ -e "$proof" ] || printf '%s ' "${requirement%%:*}"
    done
  fi
}

package_names() {
  for requirement in $requirements; do printf '%s ' "${requirement%%:*}"; done
}

apt() {
  DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes \
    -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold "$@"
}

install_packages() {
  # Completes what an interrupted run left half-way.
  dpkg --configure -a
  update_lists
  apt install --no-install-recommends "$@"
}

# The timeout above does not cover the lock of the lists. A source that fails need not be one that is needed.
update_lists() {
  attempts=24
  while ! apt update >"$log.update" 2>&1 && grep -q 'Could not get lock' "$log.update" && [ $attempts -gt 0 ]; do
    attempts=$((attempts - 1))
    sleep 5
  done
  cat "$log.update"
  rm -f "$log.update"
}

# ── npm modules ──

modules_are_current() { cmp -s package-lock.json node_modules/.wrenn-lockfile && [ -x node_modules/.bin/node ]; }

install_modules() {
  rm -f node_modules/.wrenn-lockfile
  npm ci --ignore-scripts --include=dev --include=optional --no-audit --no-fund --loglevel=error
  cp package-lock.json node_modules/.wrenn-lockfile.new
  mv node_modules/.wrenn-lockfile.new node_modules/.wrenn-lockfile
}

# An npm that started us passes its own options on (workspace, omit, global, ...). Only where to get packages stays.
forget_outer_npm() {
  for variable in $(env | sed -n 's/^\(npm_[A-Za-z0-9_]*\)=.*/\1/p'); do
    case $variable in
      npm_config_registry | npm_config_cache | npm_config_userconfig | npm_config_globalconfig) ;;
      npm_config_proxy | npm_config_https_proxy | npm_config_noproxy) ;;
      npm_config_ca | npm_config_cafile | npm_config_strict_ssl | npm_config_fetch_* | npm_config_maxsockets) ;;
      npm_config_offline | npm_config_prefer_offline) ;;
      *) unset "$variable" ;;
    esac
  done
}

# ── main ──

[ $# -gt 0 ] || fail 'usage: sh tools/bootstrap.sh SCRIPT [ARGUMENT...]'
# A browser, for the tests that need one.
[ "$1" != tools/test.ts ] || requirements="$requirements chromium:chromium"
cd "$(dirname "$0")/.."
# Where su has kept the PATH of a user, the system's programs are missing from it.
PATH=$PWD/node_modules/.bin:$PATH:/usr/local/sbin:/usr/sbin:/sbin
export PATH
times=''

system=$(uname -sm)
[ "$system" = 'Linux x86_64' ] || fail "Wrenn runs on Linux x86_64 only; this is $system."

missing=$(missing_packages)
if [ -n "$missing" ]; then
  command -v apt-get >/dev/null || fail "These are missing, and there is no apt-get to install them: $missing" \
    'Install them with the package manager of this system (the names are those of Debian), then run npm start again.'
  [ "$(id -u)" -eq 0 ] || fail "These Debian packages are missing: $missing" \
    'Installing them takes root. Run: sudo npm start'
  echo "packages: installing $missing"
  # shellcheck disable=SC2086 # a list of words
  step packages install_packages $missing || fail "These Debian packages could not be installed: $missing" \
    "Run: apt-get update && apt-get install --no-install-recommends $missing" 'and then npm start again.'
fi

if ! modules_are_current; then
  command -v npm >/dev/null || fail 'npm is missing. Run: apt-get install npm, and then npm start again.'
  # One at a time in this checkout; the lock ends with this shell.
  exec 9<package-lock.json
  flock --nonblock 9 || { echo 'modules: waiting for another npm ci in this folder' && flock 9; }
  if ! modules_are_current; then
    forget_outer_npm
    step modules install_modules || fail 'The npm modules could not be installed.' \
      "Run: cd '$PWD' && npm ci --ignore-scripts, and then npm start again."
  fi
  exec 9<&-
fi

WRENN_BOOTSTRAP_TIMES=$times
export WRENN_BOOTSTRAP_TIMES
exec node_modules/.bin/node "$@"
