#!/bin/sh
# Builds the agent for people: build.sh OUT [linux|windows|deb|macos]...
#
#   linux    OUT/tegata-agent          links libpcsclite, so it needs a C compiler and libpcsclite-dev
#   windows  OUT/tegata-agent.exe      pure Go
#   deb      OUT/tegata-agent_VERSION_ARCH.deb
#   macos    OUT/Tegata Agent.app      layout only: a Mac compiles the applet (tegata-agent install) and builds with cgo;
#                                      what another system puts inside has no card reader
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { sed -n '2,3p' "$0" >&2; exit 2; }
out=$1
shift
[ $# -gt 0 ] || set -- linux windows deb macos
mkdir -p "$out"
out=$(cd "$out" && pwd)
cd "$here/../../.."
GO=${GO:-go}
version=$(sed -n 's/^const Version = "\(.*\)"$/\1/p' cmd/tegata-agent/main.go)
# Packages of one commit are equal to the byte, wherever git is there to tell its time.
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || date +%s)}
export SOURCE_DATE_EPOCH

compile() { "$GO" build -buildvcs=false -trimpath -ldflags "-s -w" -o "$1" ./cmd/tegata-agent; }

linux() { GOOS=linux CGO_ENABLED=1 compile "$out/tegata-agent"; }
windows() { GOOS=windows GOARCH=amd64 CGO_ENABLED=0 compile "$out/tegata-agent.exe"; }

macos() {
	work=$(mktemp -d)
	GOOS=darwin CGO_ENABLED=0 compile "$work/darwin"
	"$GO" run -buildvcs=false ./cmd/tegata-agent bundle "$out" "$work/darwin"
	rm -rf "$work"
}

deb() {
	[ -x "$out/tegata-agent" ] || linux
	arch=$(dpkg --print-architecture)
	root=$(mktemp -d)
	chmod 755 "$root"
	install -D -m 755 "$out/tegata-agent" "$root/usr/bin/tegata-agent"
	install -D -m 644 "$here/tegata-agent.desktop" "$root/usr/share/applications/tegata-agent.desktop"
	install -D -m 644 LICENSE "$root/usr/share/doc/tegata-agent/copyright"
	install -d -m 755 "$root/usr/share/man/man1" "$root/DEBIAN"
	gzip -9nc "$here/tegata-agent.1" >"$root/usr/share/man/man1/tegata-agent.1.gz"
	chmod 644 "$root/usr/share/man/man1/tegata-agent.1.gz"
	size=$(du -sk --apparent-size "$root/usr" | cut -f1)
	sed -e "s/@VERSION@/$version/" -e "s/@ARCH@/$arch/" -e "s/@SIZE@/$size/" "$here/control" >"$root/DEBIAN/control"
	(cd "$root" && find usr -type f | LC_ALL=C sort | xargs md5sum) >"$root/DEBIAN/md5sums"
	dpkg-deb --root-owner-group --build "$root" "$out/tegata-agent_${version}_${arch}.deb" >/dev/null
	rm -rf "$root"
}

for target; do
	case $target in
	linux | windows | deb | macos) "$target" ;;
	*) echo "build.sh: no such target: $target" >&2; exit 2 ;;
	esac
done
