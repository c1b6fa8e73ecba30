#!/bin/sh
# Installs the town's server on Debian, or on a system made from it (UOS, Kylin): program, user, folders,
# settings, systemd unit. Run again, it brings everything up to date and leaves settings and data alone.
#
#   deploy/install.sh [FOLDER WITH THE PROGRAMS]
#
# DESTDIR=FOLDER installs below that folder, for a package: without a user, and without systemd running.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
programs=${1:-$here}
root=${DESTDIR:-}

say() { printf 'install: %s\n' "$*"; }
fail() { printf 'install: %s\n' "$*" >&2; exit 1; }

[ -x "$programs/yaoguan-town" ] || fail "there is no yaoguan-town in $programs"
[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || fail "only root can install it: sudo $0 $*"

# put MODE FILE TARGET: in one step, so that a running program never meets half a file.
put() {
    mkdir -p "$root$(dirname "$3")"
    cp "$2" "$root$3.new"
    chmod "$1" "$root$3.new"
    mv -f "$root$3.new" "$root$3"
    say "$3"
}

for program in yaoguan-town yaoguan; do
    [ ! -x "$programs/$program" ] || put 755 "$programs/$program" "/usr/local/bin/$program"
done
put 644 "$here/yaoguan-town.service" /etc/systemd/system/yaoguan-town.service
put 644 "$here/yaoguan.sysusers" /usr/lib/sysusers.d/yaoguan.conf
put 644 "$here/yaoguan.tmpfiles" /usr/lib/tmpfiles.d/yaoguan.conf
for page in OPERATIONS.zh.md OPERATIONS.en.md SETTINGS.md; do
    [ ! -f "$here/../docs/$page" ] || put 644 "$here/../docs/$page" "/usr/local/share/doc/yaoguan/$page"
done
# The console's pages, replaced as a whole: a page of one version with a script of another is none.
if [ -d "$here/../console" ]; then
    pages=$root/usr/local/share/yaoguan/console
    mkdir -p "$(dirname "$pages")"
    rm -rf "$pages.new" "$pages.old"
    cp -r "$here/../console" "$pages.new"
    chmod -R u=rwX,go=rX "$pages.new"
    [ ! -d "$pages" ] || mv "$pages" "$pages.old"
    mv "$pages.new" "$pages"
    rm -rf "$pages.old"
    say "/usr/local/share/yaoguan/console"
fi
if [ -e "$root/etc/yaoguan/town.toml" ]; then
    say "/etc/yaoguan/town.toml is there already and stays as it is"
else
    put 644 "$here/town.toml" /etc/yaoguan/town.toml
fi

if [ -n "$root" ]; then
    say "below $root: the user and the folders are made when the package is installed"
    exit 0
fi

if ! getent passwd yaoguan >/dev/null; then
    if command -v systemd-sysusers >/dev/null; then
        systemd-sysusers /usr/lib/sysusers.d/yaoguan.conf
    else
        useradd --system --user-group --home-dir /var/lib/yaoguan --no-create-home \
            --shell /usr/sbin/nologin --comment "Smart Yaoguan" yaoguan
    fi
    say "user yaoguan"
fi
for folder in /var/lib/yaoguan /var/lib/yaoguan/files /var/backups/yaoguan; do
    install -d -m 700 -o yaoguan -g yaoguan "$folder"
done
# Only where systemd is what runs this machine.
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload
fi
say "done. Next: yaoguan-town init --config /etc/yaoguan/town.toml, then systemctl enable --now yaoguan-town"
