//go:build !unix

package testservers

import (
	"os"
	"syscall"
)

// Elsewhere than on a unix a server can be started and killed, no more.
var (
	fastStop      = os.Kill
	immediateStop = os.Kill
	politeStop    = os.Kill
)

func freeze(int) {}
func thaw(int)   {}

func kill(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill() // an error means that it has ended
	}
}

func attributes() *syscall.SysProcAttr { return nil }

// A user is whom a server runs as. Here it is always ourselves, which is a nil user.
type user struct{ name string }

func unprivileged() (*user, error) { return nil, nil } //nolint:nilnil // nobody else is needed

func (*user) attributes() *syscall.SysProcAttr { return nil }
func (*user) obstacle(string) (string, error)  { return "", nil }
func (*user) own(string) error                 { return nil }
