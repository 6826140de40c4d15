# Debian packages with everything that they depend on, the C library included, unpacked into a folder: programs of a
# newer Debian run on an older one, and the system is left alone. Lists, state and archives are private to each call.
# The mirror is that of the machine's own apt sources; who signs is checked with the machine's own keys.
# shellcheck shell=bash

apt_root_mirror() {
	awk '/^URIs:/ { print $2; exit }
		/^deb / { for (i = 2; i <= NF; i++) if ($i ~ /^[a-z+]+:\/\//) { print $i; exit } }' \
		/etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null
}

apt_root_keys=/usr/share/keyrings/debian-archive-keyring.gpg

apt_root_lacks() {
	command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || { echo "apt is missing: the packages are Debian's" && return; }
	[ -e "$apt_root_keys" ] || { echo "Debian's archive keys are missing" && return; }
	[ -n "$(apt_root_mirror)" ] || echo "the apt sources name no Debian mirror"
}

apt_root_config() { # apt_root_config WORK SUITE
	mkdir -p "$1"/{apt.conf.d,preferences.d,sources.d,lists/partial,archives/partial}
	: >"$1/status" # an empty one: nothing counts as there, so that the C library comes along
	cp /etc/apt/apt.conf.d/99* "$1/apt.conf.d/" 2>/dev/null || true # how this site's mirrors are reached
	echo "deb [signed-by=$apt_root_keys] $(apt_root_mirror) $2 main" >"$1/sources.list"
	cat >"$1/apt.conf" <<-S
		Dir::Etc "$1"; Dir::Etc::sourcelist "$1/sources.list"; Dir::Etc::sourceparts "$1/sources.d";
		Dir::Etc::preferencesparts "$1/preferences.d"; Dir::Etc::parts "$1/apt.conf.d";
		Dir::State "$1"; Dir::State::lists "$1/lists"; Dir::State::status "$1/status";
		Dir::Cache "$1"; Dir::Cache::archives "$1/archives";
		APT::Architecture "amd64"; APT::Install-Recommends "false"; APT::Sandbox::User "";
		Acquire::Languages "none"; Acquire::Retries "3";
	S
}

# apt_root_wanted WORK DROP PACKAGE...: the packages and all that they depend on, not looking behind one that matches DROP.
apt_root_wanted() {
	local work=$1 drop=$2
	shift 2
	apt-get -s install "$@" | awk '/^Inst / { print $2 }' >"$work/closure"
	xargs apt-cache depends --important <"$work/closure" | awk -v drop="$drop" -v wanted="$*" '
		FNR == NR { if ($1 !~ drop) there[$1] = 1; next }
		/^[^ ]/ { package = $1; next }
		{ name = $NF; gsub(/[<>]|:.*/, "", name); if (name in there) needs[package] = needs[package] " " name }
		END {
			n = split(wanted, queue)
			for (i = 1; i <= n; i++) seen[queue[i]] = 1
			for (i = 1; i <= n; i++) {
				print queue[i]
				m = split(needs[queue[i]], next_ones)
				for (j = 1; j <= m; j++) if (!seen[next_ones[j]]++) queue[++n] = next_ones[j]
			}
		}' "$work/closure" -
}

# apt_root SUITE FOLDER DROP PACKAGE...: what was downloaded is kept beside FOLDER until all is there, for a second attempt.
apt_root() {
	local suite=$1 target=$2 drop=$3 work=$2.download fresh=$2.new name
	shift 3
	rm -rf "$fresh"
	mkdir -p "$work/archives" "$fresh"/usr/{lib,lib64,bin,sbin}
	for name in lib lib64 bin sbin; do ln -s "usr/$name" "$fresh/$name"; done
	apt_root_config "$work" "$suite"
	(
		export APT_CONFIG=$work/apt.conf
		apt-get -qq update
		apt_root_wanted "$work" "$drop" "$@" >"$work/wanted"
		[ -s "$work/wanted" ]
		cd "$work/archives"
		xargs apt-get -qq download <"$work/wanted"
		while read -r name; do
			dpkg-deb --fsys-tarfile "$name"_*.deb | tar --extract --keep-directory-symlink --no-same-owner --directory "$fresh"
		done <"$work/wanted"
	)
	rm -rf "$fresh"/usr/share/{doc,man,locale,info,lintian,bug}
	touch "$fresh/.complete"
	rm -rf "$target"
	mv "$fresh" "$target"
	rm -rf "$work"
}
