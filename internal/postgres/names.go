package postgres

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// MaxNameLen bounds a schema's name, in bytes. PostgreSQL cuts off what is longer.
const MaxNameLen = 63

// CheckSchema returns nil if a schema may have that name, else an ErrInvalid. The empty name is not
// one: it stands for the first schema of the connection's search_path, and is left out by
// callers that mean it.
func CheckSchema(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: it is empty", ErrInvalid)
	case len(name) > MaxNameLen:
		return fmt.Errorf("%w: it has %d bytes, more than %d", ErrInvalid, len(name), MaxNameLen)
	case !utf8.ValidString(name):
		return fmt.Errorf("%w: %q is not UTF-8", ErrInvalid, name)
	case strings.ContainsRune(name, 0):
		return fmt.Errorf("%w: %q has a zero byte", ErrInvalid, name)
	case strings.HasPrefix(name, "pg_"):
		return fmt.Errorf("%w: %q is one of the server's own", ErrInvalid, name)
	}
	return nil
}

// Table returns the name of a table as it is written in SQL, quoted. With schema "" it is found
// by the connection's search_path.
func Table(schema, table string) string {
	if schema == "" {
		return pgx.Identifier{table}.Sanitize()
	}
	return pgx.Identifier{schema, table}.Sanitize()
}

// SQL returns sql with each {table} in it, of small letters and underscores, replaced by Table(schema,
// table). sql is a constant of the program: what a user gives is never part of it.
func SQL(schema, sql string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(sql, "{")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		name := rest[:len(rest)-len(strings.TrimLeft(rest, "abcdefghijklmnopqrstuvwxyz_"))]
		after, closed := strings.CutPrefix(rest[len(name):], "}")
		if name != "" && closed {
			out.WriteString(Table(schema, name))
			sql = after
			continue
		}
		out.WriteString("{")
		sql = rest
	}
}
