#!/bin/sh
# Runs a program in a root file system as the chart has Kubernetes do it: nothing else to be seen, nothing to be written, as a user
# without capabilities, and none to be gained.
# usage: jail.sh ROOT UID PROGRAM ARGUMENT…
set -eu

case ${JAILED:-} in
    '')
        # Root of the machine, or of a namespace where there is just one user: the one that this is run as.
        [ "$(id -u)" = 0 ] && alone='' || alone='--user --map-root-user'
        # shellcheck disable=SC2086
        JAILED=${alone:-root} exec unshare --mount --propagation private $alone "$0" "$@"
        ;;
esac

root=$1 user=$2
shift 2
mount --bind "$root" "$root"
# What every container runtime brings.
mkdir -p "$root/dev"
for device in null random urandom zero; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
done
mount -o remount,bind,ro "$root"

how=$JAILED
unset JAILED
if [ "$how" = root ]; then
    # What chroot needs is gone with the change of the user.
    exec setpriv --inh-caps=-all,+sys_chroot,+setuid,+setgid \
        setpriv --no-new-privs --bounding-set=-all \
        chroot --userspec="$user:$user" --groups= "$root" "$@"
fi
exec setpriv --no-new-privs unshare --user --map-user="$user" --map-group="$user" --root="$root" "$@"
