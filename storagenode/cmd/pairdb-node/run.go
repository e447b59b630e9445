package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"

	"github.com/devrev/pairdb/storagenode"
)

// What the program exits with.
const (
	exitOK     = 0
	exitFailed = 1 // it ran, or tried to, and could not go on
	exitUsage  = 2 // the settings are wrong: starting it again changes nothing
)

// run is the program: it serves until ctx ends, stops cleanly, and returns its
// exit code.
func run(ctx context.Context, args []string, env func(string) string, stdout, stderr io.Writer) int {
	s, err := parse(args, env, stdout)
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	if err != nil {
		return complain(stderr, exitUsage, err)
	}
	if s.version {
		_, _ = fmt.Fprintf(stdout, "pairdb-node %s\n", version())
		return exitOK
	}
	log := s.logger(stderr)
	options, closeOptions, err := s.options(log)
	if err != nil {
		return complain(stderr, exitUsage, err)
	}
	defer closeOptions()
	node, err := storagenode.Open(s.dir, storagenode.Identity{Cluster: s.cluster, Node: s.node}, options...)
	if err != nil {
		return complain(stderr, code(err), advised(err))
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", s.listen)
	if err != nil {
		return complain(stderr, exitFailed, errors.Join(
			fmt.Errorf("%w; choose an address of this machine that is free with --listen", err), node.Close(context.Background())))
	}
	s.warn(listener.Addr(), log)
	store := storagenode.StoreIDString(node.StoreID())
	log.Info("node is ready", "cluster", s.cluster, "node", s.node, "address", listener.Addr().String(), "store", store,
		"dir", s.dir, "synced", !s.noSync && !s.memory, "tls", s.cert != "", "version", version())
	_, _ = fmt.Fprintf(stdout, "ready address=%s store=%s cluster=%s node=%s new=%t\n",
		listener.Addr(), store, s.cluster, s.node, node.Made())
	return serve(ctx, s, node, listener, log)
}

// warn tells who may reach the node's data, where that is more than it may seem.
func (s *settings) warn(at net.Addr, log *slog.Logger) {
	tcp, ok := at.(*net.TCPAddr)
	switch {
	case s.cert != "" && s.ca == "":
		log.Warn("TLS without --tls-ca: any client, with or without a certificate, may read and write everything", "address", at.String())
	case s.cert == "" && (!ok || !tcp.IP.IsLoopback()):
		log.Warn("serving in the clear beyond this machine: whoever reaches the address may read and write everything; "+
			"set --tls-cert, --tls-key and --tls-ca", "address", at.String())
	}
}

// serve serves until ctx ends or the listener breaks, and closes the node.
func serve(ctx context.Context, s settings, node *storagenode.Node, listener net.Listener, log *slog.Logger) int {
	served := make(chan error, 1)
	go func() { served <- node.Serve(listener) }()
	var err error
	select {
	case err = <-served:
	case <-ctx.Done():
		log.Info("stopping: finishing what is in hand", "for_at_most", s.grace)
	}
	bounded, cancel := context.WithTimeout(context.Background(), s.grace)
	defer cancel()
	if err = errors.Join(err, node.Close(bounded)); err != nil {
		log.Error("stopped, but not cleanly", "error", err.Error())
		return exitFailed
	}
	n := node.Stats()
	log.Info("stopped", "reads", n.Reads, "merges", n.Merges, "refused", n.Refused, "syncs", n.Syncs)
	return exitOK
}

func complain(stderr io.Writer, code int, err error) int {
	_, _ = fmt.Fprintf(stderr, "pairdb-node: %v\n", err)
	return code
}

func code(err error) int {
	if errors.Is(err, storagenode.ErrConfig) || errors.Is(err, storagenode.ErrForeignStore) {
		return exitUsage
	}
	return exitFailed
}

// advised adds to an error what can be done about it.
func advised(err error) error {
	for cause, advice := range map[error]string{
		storagenode.ErrConfig:       "correct the setting; --help lists them",
		storagenode.ErrForeignStore: "start the node under the name that its store has, or name another --dir",
		storagenode.ErrLocked:       "stop the other process, or name another --dir",
		storagenode.ErrDamaged: "mend or replace the disk, move the directory away and start empty: the node then comes back with a new " +
			"store id, which an operator accepts in the topology. Never restore an older copy of the directory: " +
			"it brings the old store id back, so that nobody would notice what it lacks",
	} {
		if errors.Is(err, cause) {
			return fmt.Errorf("%w\n%s", err, advice)
		}
	}
	return err
}
