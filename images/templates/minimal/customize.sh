#!/bin/sh
# Runs on the host once the packages are installed, with the template's root folder as $1.
set -eu
root=$1

chroot "$root" useradd --create-home --uid 1000 --shell /bin/bash user
echo 'user ALL=(ALL) NOPASSWD:ALL' > "$root/etc/sudoers.d/user"
chmod 0440 "$root/etc/sudoers.d/user"

echo 'LANG=C.UTF-8' > "$root/etc/default/locale"
# What makes one guest different from the next is written to memory, by envd, in every new sandbox.
for file in hostname hosts machine-id; do ln -sf "/run/wrenn/etc/$file" "$root/etc/$file"; done
# The gateway of every slot answers DNS.
rm -f "$root/etc/resolv.conf"
echo 'nameserver 172.16.77.1' > "$root/etc/resolv.conf"
mkdir -p "$root/home/user" "$root/root"

# What differs between two builds, or belongs to one machine.
rm -rf "$root"/var/log/* "$root"/var/cache/ldconfig/* "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/tmp/*
rm -f "$root"/etc/passwd- "$root"/etc/group- "$root"/etc/shadow- "$root"/etc/gshadow- "$root"/etc/subuid- "$root"/etc/subgid-
rm -f "$root"/var/cache/debconf/*-old "$root"/var/lib/dpkg/*-old
sed -i -E 's/^([^:]*:[^:]*:)[0-9]+:/\119675:/' "$root/etc/shadow"
# Python's compiled modules, made anew so that they depend on the sources only. Without any, the first import of much of
# the standard library takes seconds in an emulated guest.
find "$root" -xdev -name __pycache__ -type d -prune -exec rm -rf {} +
chroot "$root" sh -c 'PYTHONHASHSEED=0 python3 -m compileall -q -j 1 --invalidation-mode unchecked-hash /usr/lib/python3*'
