# SPDX-License-Identifier: LGPL-2.1-or-later
#
# What examples/run and tests/run share: which packages the build needs, how
# they come onto the machine, and how the tree is built. Sourced by bash, in
# the root of the source tree.

# To build the library, the manual, the examples and the tests, and to run
# them. A new dependency is added here and nowhere else.
packages=(
  build-essential
  dbus-daemon
  gettext
  gi-docgen
  gir1.2-gdkpixbuf-2.0
  gir1.2-gtk-4.0
  gir1.2-soup-3.0
  gjs
  gobject-introspection
  libadwaita-1-dev
  libgdk-pixbuf-2.0-dev
  libgirepository1.0-dev
  libglib2.0-dev
  libgtk-4-dev
  locales
  meson
  ninja-build
  pkg-config
  python3-gi
  valac
  xvfb
)

# What single options of tests/run want besides.
valgrind_packages=(valgrind libc6-dbg)
glib_packages=(dpkg-dev libffi-dev libpcre2-dev zlib1g-dev)

# The tools and bindings that the distribution packages, not what somebody
# put before them on the path.
export PATH=/usr/bin:/bin:$PATH

say ()
{
  printf '%s\n' "$*" >&2
}

die ()
{
  say "$@"
  exit 1
}

is_debian ()
{
  command -v apt-get dpkg-query >/dev/null
}

as_root ()
{
  if [[ $(id -u) -eq 0 ]]; then
    "$@"
  else
    sudo "$@"
  fi
}

# install_packages PACKAGE...: installs those that are missing. Asks nothing
# of apt where all are there.
install_packages ()
{
  local package missing=()

  if ! is_debian; then
    check_tools "$@"
    return
  fi

  for package in "$@"; do
    [[ $(dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null) == installed* ]] ||
      missing+=("$package")
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0

  [[ $(id -u) -eq 0 ]] || command -v sudo >/dev/null ||
    die "Packages are missing, and there is no sudo. As root, run:" \
        "apt-get install ${missing[*]}"
  say "Installing ${missing[*]}"
  as_root apt-get --quiet update </dev/null >&2 ||
    die "apt-get update failed"
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get --quiet --yes --no-install-recommends \
    -o DPkg::Lock::Timeout=300 install "${missing[@]}" </dev/null >&2 ||
    die "Could not install ${missing[*]}"
}

# Where there is no apt we cannot know what packages are called; Meson finds
# out the rest, but these it cannot do without.
check_tools ()
{
  local tool missing=()

  for tool in meson ninja pkg-config cc; do
    command -v "$tool" >/dev/null || missing+=("$tool")
  done
  [[ ${#missing[@]} -eq 0 ]] ||
    die "${missing[*]}: not found. This is not Debian, so install by hand what" \
        "these Debian packages hold: $*"
}

# build DIRECTORY [OPTION...]: configures the directory, once, and compiles.
build ()
{
  local dir=$1
  shift

  if [[ ! -e $dir/build.ninja ]]; then
    meson setup "$dir" "$@" </dev/null || exit
  fi
  meson compile -C "$dir" </dev/null || exit
}
