# What the machine must have, and where the parts run.
wine=$(command -v wine64 || ls /usr/lib/wine/wine64 2>/dev/null || true)
mingw_include=${MINGW_INCLUDE:-/usr/share/mingw-w64/include}
surrogate=Hyperlight.Whp/Surrogates/surrogate.exe

require_tools() {
    local missing=()
    [ -n "$wine" ] || missing+=("wine64")
    command -v winegcc >/dev/null && command -v winebuild >/dev/null || missing+=("wine64-tools, libwine-dev")
    [ -f "$mingw_include/winhvplatformdefs.h" ] && command -v x86_64-w64-mingw32-gcc >/dev/null || missing+=("mingw-w64")
    [ ${#missing[@]} -eq 0 ] && return
    echo "missing: the packages ${missing[*]} (names of Debian)"
    exit 1
}

# Where there is no /dev/kvm, KVMLAB is a program that runs a command where there is one: KVMLAB -t SECONDS -w DIRECTORY -- COMMAND.
choose_machine() {
    if [ -r /dev/kvm ] && [ -w /dev/kvm ]; then
        on_machine() { timeout "$1" "${@:2}"; }
    elif [ -n "${KVMLAB:-}" ]; then
        # Wine leaves the kernel by IRETQ, whose reads of the user's stack QEMU's emulation takes for those of the kernel.
        export KVMLAB_CPU=${KVMLAB_CPU:-max,+svm,-la57,-mpx,-smap}
        on_machine() { "$KVMLAB" -t "$1" -- "${@:2}"; }
    else
        echo "missing: /dev/kvm that this user may open. KVMLAB may name a program that runs a command in a machine that has it."
        exit 1
    fi
}

# The environment of a program on Wine. Its services are not needed, and take long to start.
use_wine() {
    export WINEPREFIX="$OUT/prefix" WINEDLLPATH="$OUT/lib" WINEDEBUG=${WINEDEBUG:--all} DISPLAY=''
    export WINEDLLOVERRIDES='winhvplatform=b;wineboot.exe=d;services.exe=d;explorer.exe=d'
}

wineserver() { "$(dirname "$(readlink -f "$wine")")/wineserver" "$@"; }
