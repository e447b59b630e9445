package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/devrev/pairdb/topology"
)

// startLimit bounds a node's start on a slow machine, the recovery of its store included.
const startLimit = 30 * time.Second

// A cluster is some storage nodes on this machine and their directory.
type cluster struct {
	name  string
	dir   string
	nodes []*process
}

// A process is a node's place: its store, its address, and the child that runs there.
type process struct {
	cluster, id, dir string
	addr             string    // of the first start; later ones come back to it
	cmd              *exec.Cmd // nil while none runs
	stderr           *bytes.Buffer
}

func startCluster(ctx context.Context, out *printer, n int) (*cluster, error) {
	out.step("Start %d storage nodes: processes of their own, each with its store on disk", n)
	dir, err := os.MkdirTemp("", "pairdb-quickstart-")
	if err != nil {
		return nil, fmt.Errorf("%w; set TMPDIR to a directory that can be written", err)
	}
	// The name is the run's own, so that two runs at once can never mix.
	c := &cluster{name: filepath.Base(dir), dir: dir}
	for i := range n {
		id := fmt.Sprintf("n%d", i+1)
		p := &process{cluster: c.name, id: id, dir: filepath.Join(dir, id), addr: "127.0.0.1:0"}
		if err := p.start(ctx); err != nil {
			return nil, errors.Join(err, c.remove())
		}
		c.nodes = append(c.nodes, p)
		out.line("%s   pid %-7d %-16s %s", p.id, p.cmd.Process.Pid, p.addr, p.dir)
	}
	return c, nil
}

// source is what a client has to know of the cluster.
func (c *cluster) source() topology.Source {
	var nodes []string
	for _, p := range c.nodes {
		nodes = append(nodes, p.id+"="+p.addr)
	}
	return topology.Addrs(c.name, nodes...)
}

// remove ends all nodes, by force since nobody needs them again, and removes their stores.
func (c *cluster) remove() error {
	for _, p := range c.nodes {
		p.kill()
	}
	if err := os.RemoveAll(c.dir); err != nil {
		return fmt.Errorf("%w; remove %s yourself", err, c.dir)
	}
	return nil
}

// start runs this program again as the node, and waits until it listens.
func (p *process) start(ctx context.Context) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("start %s: %w", p.id, err)
	}
	cmd := exec.Command(program, p.cluster, p.id, p.dir, p.addr)
	cmd.Env = append(os.Environ(), nodeEnv+"=1")
	p.stderr = &bytes.Buffer{}
	cmd.Stderr = p.stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start %s: %w", p.id, err)
	}
	if _, err = cmd.StdinPipe(); err != nil { // the child ends when it is closed
		return fmt.Errorf("start %s: %w", p.id, err)
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w; if %s may not be executed, build with go build -o quickstart ./examples/quickstart", p.id, err, program)
	}
	p.cmd = cmd

	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	said := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(stdout).ReadString('\n') // empty if the child ended
		said <- strings.TrimSpace(line)
	}()
	select {
	case addr := <-said:
		if addr != "" {
			p.addr = addr
			return nil
		}
		p.kill()
		return fmt.Errorf("start %s: it ended: %s", p.id, strings.TrimSpace(p.stderr.String()))
	case <-ctx.Done():
		p.kill()
		return fmt.Errorf("start %s: not ready after %v: %w; try again when the machine is less busy", p.id, startLimit, ctx.Err())
	}
}

// kill sends SIGKILL and waits for the end of the process.
func (p *process) kill() {
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill() // an error means that it has ended
	_ = p.cmd.Wait()         // the error is "killed"
	p.cmd = nil
}
