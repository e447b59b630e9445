//go:build unix

package faulttest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	startLimit = 30 * time.Second // of a node on a busy machine, its store's recovery included
	stopLimit  = 20 * time.Second // of a node after SIGTERM
	lastLines  = 40               // of a node's log that a failure prints
)

// A process is a node's place: its directory, and the child that runs there at the moment.
type process struct {
	id    string
	dir   string   // "" is memory
	flags []string // besides the usual ones, from the next start on

	mu    sync.Mutex
	child *child   // guarded by mu; nil when none runs
	all   []*child // guarded by mu; all that ever ran

	killed []time.Time // guarded by mu; when a child was killed, or stopped before that
}

// A child is one run of the program.
type child struct {
	cmd    *exec.Cmd
	addr   string
	exited chan struct{}
	err    error     // of the exit; set before exited is closed
	frozen bool      // used by whoever sends signals, one at a time
	still  time.Time // since when it is frozen

	mu    sync.Mutex
	lines []string // guarded by mu
}

var listening = regexp.MustCompile(`127\.0\.0\.1:[0-9]+`)

// start runs the program and waits until it says where it listens.
func (p *process) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	c := &child{cmd: exec.Command(program, p.args()...), exited: make(chan struct{})} //nolint:gosec // our own program
	c.cmd.SysProcAttr = dieWithParent()
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	stderr, err := c.cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := starter.start(c.cmd); err != nil {
		return fmt.Errorf("start %s: %w", p.id, err)
	}
	said := make(chan string, 1)
	var readers sync.WaitGroup
	readers.Go(func() { c.read(bufio.NewScanner(stdout), said) })
	readers.Go(func() { c.read(bufio.NewScanner(stderr), nil) })
	go func() {
		readers.Wait()
		c.err = c.cmd.Wait()
		close(c.exited)
	}()
	p.mu.Lock()
	p.all = append(p.all, c)
	p.mu.Unlock()

	select {
	case c.addr = <-said:
	case <-c.exited:
		return fmt.Errorf("start %s: it ended: %w\n%s", p.id, c.err, c.log())
	case <-ctx.Done():
		c.kill()
		return fmt.Errorf("start %s: not ready: %w\n%s", p.id, ctx.Err(), c.log())
	}
	p.mu.Lock()
	p.child = c
	p.mu.Unlock()
	return nil
}

func (p *process) args() []string {
	store := []string{"--memory"}
	if p.dir != "" {
		store = []string{"--dir", p.dir}
	}
	return slices.Concat([]string{"--cluster", clusterName, "--node", p.id, "--listen", "127.0.0.1:0"}, store, p.flags)
}

// wipe removes the store of a node that does not run.
func (p *process) wipe() error { return os.RemoveAll(p.dir) }

func (c *child) read(lines *bufio.Scanner, said chan<- string) {
	for lines.Scan() {
		line := lines.Text()
		c.mu.Lock()
		c.lines = append(c.lines, line)
		if len(c.lines) > lastLines {
			c.lines = c.lines[1:]
		}
		c.mu.Unlock()
		if addr := listening.FindString(line); addr != "" && said != nil {
			said <- addr
			said = nil
		}
	}
}

func (c *child) log() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.lines, "\n")
}

// addr is where the node listens; "" if it does not run.
func (p *process) addr() string {
	if c := p.running(); c != nil {
		return c.addr
	}
	return ""
}

func (p *process) running() *child {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.child
}

func (p *process) everRan() []*child {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.all)
}

func (p *process) log() string {
	if c := p.running(); c != nil {
		return c.log()
	}
	return "(not running)"
}

// freeze sends SIGSTOP, thaw SIGCONT.
func (p *process) freeze() error { return p.running().signal(syscall.SIGSTOP) }
func (p *process) thaw() error   { return p.running().signal(syscall.SIGCONT) }

func (c *child) signal(s syscall.Signal) error {
	c.frozen, c.still = s == syscall.SIGSTOP, time.Now()
	return c.cmd.Process.Signal(s)
}

// kill sends SIGKILL, whatever state the child is in, and waits for its end.
func (p *process) kill() {
	c := p.take()
	if c == nil {
		return
	}
	c.kill()
	at := time.Now()
	if c.frozen {
		at = c.still
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.killed = append(p.killed, at)
}

func (c *child) kill() {
	_ = c.cmd.Process.Signal(syscall.SIGCONT) // an error means that it has ended
	_ = c.cmd.Process.Kill()
	<-c.exited
}

// stop sends SIGTERM and waits for a clean end.
func (p *process) stop() error {
	c := p.take()
	if c == nil {
		return nil
	}
	if err := c.signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop %s: %w", p.id, err)
	}
	timer := time.NewTimer(stopLimit)
	defer timer.Stop()
	select {
	case <-c.exited:
	case <-timer.C:
		c.kill()
		return fmt.Errorf("stop %s: still there %v after SIGTERM\n%s", p.id, stopLimit, c.log())
	}
	if c.err != nil {
		return fmt.Errorf("stop %s: after SIGTERM it ended with %w\n%s", p.id, c.err, c.log())
	}
	return nil
}

// take makes the place empty.
func (p *process) take() *child {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := p.child
	p.child = nil
	return c
}

// died returns an error if the child ended by itself.
func (p *process) died() error {
	c := p.running()
	if c == nil {
		return nil
	}
	select {
	case <-c.exited:
		return fmt.Errorf("node %s ended by itself: %w\n%s", p.id, errors.Join(c.err, errUnasked), c.log())
	default:
		return nil
	}
}

var errUnasked = errors.New("nobody asked it to")
