package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"
)

const (
	envPrefix   = "PAIRDB_NODE_"
	versionFlag = "version" // has no variable: one of that name is often set for other reasons
)

// settings are the flags.
type settings struct {
	dir, cluster, node, listen string
	memory, noSync, version    bool
	cert, key, ca              string
	audit                      string
	logFormat, logLevel        string
	grace                      time.Duration
	cacheMiB, reserveMiB       uint
	maxValue, maxSiblings      int
	skew, window, retention    time.Duration
}

const usage = `pairdb-node is a storage node of a pairdb cluster.

Usage:
  pairdb-node --dir DIR --cluster NAME --node NAME [flags]

Examples:
  # A node that keeps its data in /var/lib/pairdb and listens on all interfaces:
  pairdb-node --dir /var/lib/pairdb --cluster shop --node n1 --listen :7001

  # The same, set by the environment (every flag has a variable; a flag wins):
  PAIRDB_NODE_DIR=/var/lib/pairdb PAIRDB_NODE_CLUSTER=shop PAIRDB_NODE_NODE=n1 pairdb-node

  # For a test: nothing on disk, a free port, told on standard output:
  pairdb-node --memory --cluster test --node n1 --listen 127.0.0.1:0

  # With mutual TLS (only clients with a certificate of that authority):
  pairdb-node ... --tls-cert n1.pem --tls-key n1-key.pem --tls-ca ca.pem

When it is ready the node prints one line to standard output:
  ready address=127.0.0.1:7001 store=5f1c... cluster=shop node=n1 new=false
With new=true it has just made an empty store: for a node that had data, its disk
is perhaps not mounted.
Certificates are read once, at the start: restart the node to renew them.
SIGTERM or SIGINT stops it cleanly. It logs to standard error.
Exit codes: 0 stopped cleanly, 1 failed, 2 wrong settings.

Flags (and their environment variables):
`

// parse reads flags, and the environment where there is none.
func parse(args []string, env func(string) string, help io.Writer) (settings, error) {
	var s settings
	f := flag.NewFlagSet("pairdb-node", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	s.define(f)
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			f.SetOutput(help)
			describe(f)
			return s, err
		}
		return s, fmt.Errorf("%w; --help lists the flags", err)
	}
	if f.NArg() > 0 {
		return s, fmt.Errorf("unexpected argument %q; every setting is a flag, --help lists them", f.Arg(0))
	}
	if s.version {
		return s, nil
	}
	given := map[string]bool{}
	f.Visit(func(f *flag.Flag) { given[f.Name] = true })
	var wrong error
	f.VisitAll(func(fl *flag.Flag) {
		value := env(variable(fl.Name))
		if given[fl.Name] || value == "" || fl.Name == versionFlag {
			return
		}
		if err := f.Set(fl.Name, value); err != nil {
			wrong = errors.Join(wrong, fmt.Errorf("%s=%q: %w", variable(fl.Name), value, err))
		}
	})
	if wrong != nil {
		return s, wrong
	}
	err := s.validate()
	return s, err
}

func (s *settings) define(f *flag.FlagSet) {
	f.StringVar(&s.dir, "dir", "", "`directory` of the node's store; made if it is not there")
	f.StringVar(&s.cluster, "cluster", "", "`name` of the cluster, as in its topology")
	f.StringVar(&s.node, "node", "", "`name` of the node, as in the topology")
	f.StringVar(&s.listen, "listen", "127.0.0.1:7001", "`address` to listen on; port 0 is any free one")
	f.BoolVar(&s.memory, "memory", false, "keep everything in memory, for tests and caches")
	f.BoolVar(&s.noSync, "no-sync", false, "acknowledge writes before they are on disk: a crash of the machine loses the last ones")
	f.StringVar(&s.cert, "tls-cert", "", "PEM `file` of the node's certificate, read at the start; with it the node serves TLS")
	f.StringVar(&s.key, "tls-key", "", "PEM `file` of the certificate's key")
	f.StringVar(&s.ca, "tls-ca", "", "PEM `file` of the authorities whose clients may connect; without it any client may")
	f.StringVar(&s.audit, "audit", "", "`file` to which a JSON line is appended for each write when it is first applied: before the sync, so that after a crash a line may have no write, or come twice")
	f.StringVar(&s.logFormat, "log-format", "text", "text or json")
	f.StringVar(&s.logLevel, "log-level", "info", "debug, info, warn or error")
	f.DurationVar(&s.grace, "grace", 10*time.Second, "how long a clean stop may take")
	f.UintVar(&s.cacheMiB, "cache-mib", 256, "`MiB` of memory for the states of keys in use, and a quarter as many again for blocks of the disk")
	f.UintVar(&s.reserveMiB, "reserve-mib", 256, "`MiB` that must be free on the disk for writes to be taken; 0 is no check")
	f.IntVar(&s.maxValue, "max-value", 1<<20, "`bytes` of the largest value taken; at most 16 MiB")
	f.IntVar(&s.maxSiblings, "max-siblings", 64, "siblings of one key that clients' writes may make")
	f.DurationVar(&s.skew, "skew", time.Minute, "how far ahead of the node's clock a write may be")
	f.DurationVar(&s.window, "window", 10*time.Minute, "how old a write may be")
	f.DurationVar(&s.retention, "retention", 48*time.Hour, "how long tombstones are kept at the least; no less than the window")
	f.BoolVar(&s.version, versionFlag, false, "print the version and end")
}

func (s *settings) validate() error {
	var level slog.Level
	switch {
	case s.cluster == "":
		return errors.New("no cluster; name it with --cluster, as it stands in the topology")
	case s.node == "":
		return errors.New("no node; name it with --node, as it stands in the topology")
	case s.dir == "" && !s.memory:
		return errors.New("no directory; name one with --dir, or keep everything in memory with --memory")
	case s.dir != "" && s.memory:
		return errors.New("--dir and --memory exclude each other; leave one of them out")
	case (s.cert == "") != (s.key == ""):
		return errors.New("--tls-cert and --tls-key go together; give both or none")
	case s.ca != "" && s.cert == "":
		return errors.New("--tls-ca needs --tls-cert and --tls-key; give all three")
	case s.logFormat != "text" && s.logFormat != "json":
		return fmt.Errorf("--log-format is %q; it is text or json", s.logFormat)
	case level.UnmarshalText([]byte(s.logLevel)) != nil:
		return fmt.Errorf("--log-level is %q; it is debug, info, warn or error", s.logLevel)
	case s.grace < 0:
		return errors.New("--grace is negative; give a duration such as 10s")
	}
	return errors.Join(s.validateListen(), s.validateBounds())
}

func (s *settings) logger(to io.Writer) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.logLevel)) // validated
	options := &slog.HandlerOptions{Level: level}
	if s.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(to, options))
	}
	return slog.New(slog.NewTextHandler(to, options))
}

func variable(flag string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

func describe(f *flag.FlagSet) {
	var text strings.Builder
	text.WriteString(usage)
	f.VisitAll(func(fl *flag.Flag) {
		kind, what := flag.UnquoteUsage(fl)
		fmt.Fprintf(&text, "  --%s %s\n      %s", fl.Name, kind, what)
		if fl.DefValue != "" && fl.DefValue != "false" {
			fmt.Fprintf(&text, " (default %s)", fl.DefValue)
		}
		text.WriteString("\n")
		if fl.Name != versionFlag {
			fmt.Fprintf(&text, "      %s\n", variable(fl.Name))
		}
	})
	_, _ = io.WriteString(f.Output(), text.String())
}

// version is the module's, or the commit's, as the build recorded it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return info.Main.Version
}
