package testservers

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
)

// superuser is a role, whoever runs the server.
const superuser = "postgres"

// A Postgres is a private PostgreSQL server. Its methods may be called by any goroutine.
type Postgres struct {
	server
	data string
	made atomic.Int64 // databases
}

// StartPostgres makes a database cluster and starts a server on it. Its files go beneath dir ("" is
// os.TempDir), or, if we are root and the user that the server runs as cannot get there, beneath
// os.TempDir. The caller calls Close, which removes them. See ErrMissing.
func StartPostgres(dir string) (*Postgres, error) {
	programs, err := findPostgres(debianPostgres)
	if err != nil {
		return nil, err
	}
	as, err := unprivileged()
	if err != nil {
		return nil, err
	}
	p := &Postgres{}
	p.name = "postgres"
	if p.dir, err = os.MkdirTemp(dir, "postgres-"); err != nil {
		return nil, fmt.Errorf("testservers: start postgres: %w", err)
	}
	if err := p.initialise(programs, as); err != nil {
		return nil, errors.Join(err, p.removeAll())
	}
	p.askToStop, p.askToEnd = fastStop, immediateStop
	p.answers = p.answersOnPort
	p.command = func(port int) *exec.Cmd {
		cmd := exec.Command(programs.postgres, "-D", p.data, "-p", strconv.Itoa(port)) //nolint:gosec // a server that we looked up
		cmd.Dir, cmd.Env, cmd.SysProcAttr = p.data, postgresEnv(), as.attributes()
		return cmd
	}
	if err := p.begin(); err != nil {
		return nil, err
	}
	return p, nil
}

// initialise finds a place for the data and runs initdb there.
func (p *Postgres) initialise(programs postgresPrograms, as *user) error {
	home := p.dir
	if as != nil {
		var err error
		if home, err = p.homeFor(as); err != nil {
			return fmt.Errorf("testservers: start postgres: %w", err)
		}
	}
	p.data = filepath.Join(home, "data")
	cmd := exec.Command(programs.initdb, "-D", p.data, "-U", superuser, //nolint:gosec // as above
		"--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions")
	cmd.Dir, cmd.Env, cmd.SysProcAttr = home, postgresEnv(), as.attributes()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("testservers: %s: %w\n%s", programs.initdb, err, out)
	}
	config, err := os.OpenFile(filepath.Join(p.data, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("testservers: start postgres: %w", err)
	}
	_, err = config.WriteString(postgresConfig)
	return errors.Join(err, config.Close())
}

// homeFor makes a directory that the user owns: ours, or one beneath os.TempDir if it cannot get to ours.
func (p *Postgres) homeFor(as *user) (string, error) {
	err := os.Chmod(p.dir, 0o711) //nolint:gosec // another user passes through
	if err != nil {
		return "", err
	}
	obstacle, err := as.obstacle(p.dir)
	if err != nil {
		return "", err
	}
	home := filepath.Join(p.dir, "home")
	if obstacle == "" {
		err = os.Mkdir(home, 0o700)
	} else {
		var other string
		if other, err = as.obstacle(os.TempDir()); other != "" {
			return "", fmt.Errorf("the server runs as %s, who can enter neither %s nor %s: set TMPDIR to a directory that all may enter", as.name, obstacle, other)
		}
		if err == nil {
			home, err = os.MkdirTemp("", "postgres-data-")
			p.also = home
		}
	}
	if err != nil {
		return "", err
	}
	return home, as.own(home)
}

// postgresConfig leaves out what costs time so that data outlive the machine, and keeps the server out of
// sight. What was committed outlives Kill.
const postgresConfig = `
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 100
shared_buffers = '16MB'
dynamic_shared_memory_type = mmap
fsync = off
full_page_writes = off
autovacuum = off
timezone = 'UTC'
log_timezone = 'UTC'
lc_messages = 'C'
`

// postgresEnv keeps the variables of a user's own PostgreSQL away.
func postgresEnv() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "PG") && !strings.HasPrefix(v, "LC_") && !strings.HasPrefix(v, "LANG") {
			env = append(env, v)
		}
	}
	return append(env, "LC_ALL=C")
}

// answersOnPort asks for the process id that the data directory names, and whether it is ours.
func (p *Postgres) answersOnPort(ctx context.Context, port, _ int) (bool, error) {
	conn, err := pgx.Connect(ctx, postgresURL(port, "postgres"))
	if err != nil {
		return false, nil //nolint:nilerr // not yet
	}
	defer conn.Close(ctx) //nolint:errcheck // it was only a question
	var data string
	if err := conn.QueryRow(ctx, "SHOW data_directory").Scan(&data); err != nil {
		return false, nil //nolint:nilerr // not yet
	}
	if data != p.data {
		return false, errPortTaken
	}
	return true, nil
}

// URL is how a superuser connects to the database, whether it exists or not. There is always "postgres".
func (p *Postgres) URL(database string) string { return postgresURL(p.port, database) }

func postgresURL(port int, database string) string {
	u := url.URL{Scheme: "postgres", User: url.User(superuser), Host: address(port), Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// CreateDatabase makes an empty database and returns its URL.
func (p *Postgres) CreateDatabase(ctx context.Context) (string, error) {
	name, err := p.createDatabase(ctx)
	return p.URL(name), err
}

func (p *Postgres) createDatabase(ctx context.Context) (string, error) {
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), p.made.Add(1))
	return name, p.exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
}

func (p *Postgres) exec(ctx context.Context, sql string) error {
	conn, err := pgx.Connect(ctx, p.URL("postgres"))
	if err != nil {
		return fmt.Errorf("testservers: %s: %w", sql, err)
	}
	defer conn.Close(ctx) //nolint:errcheck // all is done by then
	if _, err := conn.Exec(ctx, sql); err != nil {
		return fmt.Errorf("testservers: %s: %w", sql, err)
	}
	return nil
}
