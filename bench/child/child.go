// Package child runs this executable again as a server in a process of its own, which ends with the one that
// started it: at the end of its standard input, and where the kernel can, when the parent dies.
package child

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

const endLimit = 10 * time.Second // from the end of standard input to the kill

// A Child is one such process.
type Child struct {
	Line string // what it said first: by convention its address

	stdin  io.WriteCloser
	cmd    *exec.Cmd
	exited chan struct{}
	err    error // of the exit; set before exited is closed
}

// Procs is the GOMAXPROCS of a child: three servers and the program that asks them share the cores. With more, each
// keeps threads awake in search of work, on cores that the others need.
func Procs() int { return max(1, runtime.NumCPU()/4) }

// Start runs this executable with the environment variables ("NAME=value") and args, and waits for its first line.
// What the child says on standard error goes to log.
func Start(ctx context.Context, log io.Writer, env, args []string) (*Child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	said := &firstLine{line: make(chan string, 1)}
	c := &Child{cmd: exec.Command(self, args...), exited: make(chan struct{})} //nolint:gosec // this program
	c.cmd.Env = append(append(os.Environ(), fmt.Sprint("GOMAXPROCS=", Procs())), env...)
	c.cmd.Stdout, c.cmd.Stderr, c.cmd.SysProcAttr = said, log, attributes()
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := c.start(); err != nil {
		return nil, err
	}
	select {
	case c.Line = <-said.line:
		return c, nil
	case <-c.exited:
		return nil, fmt.Errorf("the process ended: %w", errors.Join(c.err, io.ErrUnexpectedEOF))
	case <-ctx.Done():
		c.Kill()
		return nil, ctx.Err()
	}
}

// start starts the command on a thread that lives until it has ended: the kernel ties a child's life to the thread
// that started it, and Go may end a thread at any time.
func (c *Child) start() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := c.cmd.Start()
		started <- err
		if err == nil {
			c.err = c.cmd.Wait()
			close(c.exited)
		}
	}()
	return <-started
}

// PID is the number of the process.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Signal sends a signal; an error means that the process has ended.
func (c *Child) Signal(s os.Signal) error { return c.cmd.Process.Signal(s) }

// Stop asks the process to end itself, and kills it if it has not within ten seconds.
func (c *Child) Stop() {
	_ = c.stdin.Close() // an error means that it has ended
	timer := time.NewTimer(endLimit)
	defer timer.Stop()
	select {
	case <-c.exited:
	case <-timer.C:
		c.Kill()
	}
}

// Kill ends the process, and waits for that.
func (c *Child) Kill() {
	_ = c.cmd.Process.Kill()
	<-c.exited
}

// Say is for the child: it says the first line, and returns when the parent asks it to end, or has ended.
func Say(line string) {
	fmt.Println(line)
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// A firstLine hands on the first line that is written to it, and drops the rest.
type firstLine struct {
	line chan string // has room for one
	got  bytes.Buffer
	sent bool
}

func (f *firstLine) Write(b []byte) (int, error) {
	if !f.sent {
		f.got.Write(b)
		if line, _, whole := strings.Cut(f.got.String(), "\n"); whole {
			f.line <- line
			f.sent = true
		}
	}
	return len(b), nil
}
