package testservers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

const (
	startLimit = 30 * time.Second      // on a busy machine, recovery after a kill included
	stopLimit  = 20 * time.Second      // after the signal that asks for the end
	askEvery   = 10 * time.Millisecond // whether the server is up, or gone
	askLimit   = 2 * time.Second       // for one such question
	portTries  = 8                     // at the first start
	tailBytes  = 4096                  // of the log, in an error
)

// A server is the place of one server: its port, its data and the process that runs there at the moment.
type server struct {
	name string
	dir  string // our own: the log, and the data unless another user needs them elsewhere
	also string // a second directory of our own, "" if none
	port int

	command   func(port int) *exec.Cmd                               // a fresh command for each start
	answers   func(ctx context.Context, port, pid int) (bool, error) // errPortTaken if it is another process that does
	askToStop os.Signal
	askToEnd  os.Signal // faster, before the data are removed

	mu    sync.Mutex
	child *child // guarded by mu; nil when none runs
}

// A child is one run of the program.
type child struct {
	pid    int
	proc   *os.Process
	exited chan struct{}
	err    error // of the exit; set before exited is closed
}

// begin starts the server for the first time, at a port that it finds.
func (s *server) begin() error {
	var err error
	for range portTries {
		if s.port, err = freePort(); err != nil {
			break
		}
		if err = s.Start(); !errors.Is(err, errPortTaken) {
			break
		}
	}
	if err != nil {
		return errors.Join(err, s.removeAll())
	}
	return nil
}

// Start starts the server if it does not run, at the port that it had, and returns once it answers.
func (s *server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child != nil && s.child.runs() {
		return nil
	}
	s.child = nil
	log, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("testservers: start %s: %w", s.name, err)
	}
	defer log.Close() //nolint:errcheck // the child has its own
	cmd := s.command(s.port)
	cmd.Stdout, cmd.Stderr = log, log
	c, err := spawn(cmd)
	if err != nil {
		return fmt.Errorf("testservers: start %s: %w", s.name, err)
	}
	if err := s.awaitAnswer(c); err != nil {
		s.end(c)
		return fmt.Errorf("testservers: start %s on port %d: %w%s", s.name, s.port, err, s.logTail())
	}
	s.child = c
	return nil
}

func (s *server) awaitAnswer(c *child) error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	ticker := time.NewTicker(askEvery)
	defer ticker.Stop()
	for {
		up, err := s.ask(ctx, c)
		if err != nil || up && c.runs() {
			return err
		}
		select {
		case <-ticker.C:
		case <-c.exited:
			if portIsTaken(s.port) {
				return fmt.Errorf("%w: it ended: %w", errPortTaken, c.err)
			}
			return fmt.Errorf("it ended: %w", c.err)
		case <-ctx.Done():
			return fmt.Errorf("it does not answer after %v", startLimit)
		}
	}
}

func (s *server) ask(ctx context.Context, c *child) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	return s.answers(ctx, s.port, c.pid)
}

// Stop ends the server as an operator does, and waits for its end. It is nil if none runs.
func (s *server) Stop() error { return s.stop(s.askToStop) }

func (s *server) stop(ask os.Signal) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.take()
	if c == nil {
		return nil
	}
	thaw(c.pid)
	_ = c.proc.Signal(ask) // an error means that it has ended
	timer := time.NewTimer(stopLimit)
	defer timer.Stop()
	select {
	case <-c.exited:
		return nil
	case <-timer.C:
		s.end(c)
		return fmt.Errorf("testservers: stop %s: still there %v after %v%s", s.name, stopLimit, ask, s.logTail())
	}
}

// Kill ends the server at once, with SIGKILL, and waits for its end. It is nil if none runs.
func (s *server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c := s.take(); c != nil {
		s.end(c)
	}
	return nil
}

// end kills the child and its children.
func (s *server) end(c *child) {
	if c.runs() {
		kill(c.pid)
	}
	<-c.exited
}

// Close ends the server and removes its data. It may be called again.
func (s *server) Close() error {
	return errors.Join(s.stop(s.askToEnd), s.removeAll())
}

// Freeze stops the server's processes where they are, with SIGSTOP: connections stay, and nothing answers.
func (s *server) Freeze() error { return s.signal("freeze", freeze) }

// Thaw lets a frozen server go on.
func (s *server) Thaw() error { return s.signal("thaw", thaw) }

func (s *server) signal(what string, send func(pid int)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.child == nil || !s.child.runs() {
		return fmt.Errorf("testservers: %s %s: it does not run%s", what, s.name, s.logTail())
	}
	send(s.child.pid)
	return nil
}

// take makes the place empty. The caller has mu.
func (s *server) take() *child {
	c := s.child
	s.child = nil
	return c
}

func (s *server) removeAll() error {
	err := os.RemoveAll(s.dir)
	if s.also != "" {
		err = errors.Join(err, os.RemoveAll(s.also))
	}
	return err
}

func (s *server) logFile() string { return filepath.Join(s.dir, "log") }

// logTail is the end of the server's log as the end of an error's text.
func (s *server) logTail() string {
	f, err := os.Open(s.logFile())
	if err != nil {
		return ""
	}
	defer f.Close() //nolint:errcheck // only read
	if info, err := f.Stat(); err == nil && info.Size() > tailBytes {
		_, _ = f.Seek(-tailBytes, io.SeekEnd) // else the whole log is shown
	}
	text, _ := io.ReadAll(io.LimitReader(f, tailBytes))
	if len(text) == 0 {
		return ""
	}
	return "; the end of its log:\n" + string(text)
}

func (c *child) runs() bool {
	select {
	case <-c.exited:
		return false
	default:
		return true
	}
}
