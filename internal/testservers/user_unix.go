//go:build unix

package testservers

import (
	"errors"
	"os"
	osuser "os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// A user is whom a server runs as.
type user struct {
	name     string
	uid, gid uint32
}

// unprivileged is the user for programs that refuse to run as root; nil if we are not root ourselves.
func unprivileged() (*user, error) {
	if os.Geteuid() != 0 {
		return nil, nil //nolint:nilnil // nobody else is needed
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := osuser.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.ParseUint(u.Uid, 10, 32)
		if err != nil {
			continue
		}
		gid, err := strconv.ParseUint(u.Gid, 10, 32)
		if err != nil {
			continue
		}
		return &user{name: name, uid: uint32(uid), gid: uint32(gid)}, nil
	}
	return nil, errors.New("testservers: PostgreSQL refuses to run as root, and there is neither a user postgres nor a user nobody")
}

func (u *user) attributes() *syscall.SysProcAttr {
	a := attributes()
	if u != nil {
		a.Credential = &syscall.Credential{Uid: u.uid, Gid: u.gid}
	}
	return a
}

// obstacle names the directory on the way to path that the user cannot pass; "" if there is none.
func (u *user) obstacle(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return "", err
	}
	for dir := path; ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil {
			return "", err
		}
		if !u.mayEnter(info) {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", nil
		}
	}
}

func (u *user) mayEnter(dir os.FileInfo) bool {
	stat, ok := dir.Sys().(*syscall.Stat_t)
	switch {
	case !ok:
		return true // the server will say
	case stat.Uid == u.uid:
		return dir.Mode()&0o100 != 0
	case stat.Gid == u.gid:
		return dir.Mode()&0o010 != 0
	default:
		return dir.Mode()&0o001 != 0
	}
}

func (u *user) own(path string) error {
	if u == nil {
		return nil
	}
	return os.Chown(path, int(u.uid), int(u.gid))
}
