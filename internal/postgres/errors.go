package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
)

var (
	// ErrNoSchema says that the tables are not there, or not as this program's version needs them:
	// call Migrate.
	ErrNoSchema = errors.New("the schema is not there, or lacks something that this program needs: call Migrate")

	// ErrNewerSchema says that the tables were made by a later version of the program. It comes as a
	// *NewerSchemaError.
	ErrNewerSchema = errors.New("the schema is newer than this program")

	// ErrInvalid says that a schema name cannot be one.
	ErrInvalid = errors.New("invalid schema name")
)

// A NewerSchemaError says which version of a component's tables there is, and up to which
// the program knows them. It is an ErrNewerSchema.
type NewerSchemaError struct {
	Component  string
	Has, Knows int
}

func (e *NewerSchemaError) Error() string {
	return fmt.Sprintf("the schema of %s has version %d, this program knows versions up to %d: use a later version of the program",
		e.Component, e.Has, e.Knows)
}

// Unwrap makes errors.Is(e, ErrNewerSchema) hold.
func (*NewerSchemaError) Unwrap() error { return ErrNewerSchema }

// Codes of PostgreSQL's errors (appendix A of its manual) that the adapters act on.
const (
	codeReadOnly          = "25006"
	codeNoDatabase        = "3D000"
	codeNoSchemaName      = "3F000"
	codeSerialization     = "40001"
	codeDeadlock          = "40P01"
	codeNoPermission      = "42501"
	codeNoColumn          = "42703"
	codeNoFunction        = "42883"
	codeWrongType         = "42804"
	codeNoTable           = "42P01"
	codeTableExists       = "42P07"
	codeDiskFull          = "53100"
	codeTooManyConns      = "53300"
	codeLockTimeout       = "55P03"
	codeCancelled         = "57014"
	codeShutdown          = "57P01"
	codeCrashShutdown     = "57P02"
	codeStarting          = "57P03"
	codeUniqueViolation   = "23505"
	classBadAuthorization = "28"
)

// advice is what to do about an error of the server.
var advice = map[string]string{
	codeReadOnly:      "the server takes no writes (a standby, or default_transaction_read_only): connect to the primary",
	codeNoDatabase:    "there is no such database: create it, or mend the connection string",
	codeNoPermission:  "the role may not do this: grant it what the package comment lists",
	codeTableExists:   "a table of that name is there that Migrate has not made: choose another schema",
	codeDiskFull:      "the server's disk is full: make room",
	codeTooManyConns:  "the server has no connection left: raise its max_connections, or lower the pools' MaxConns",
	codeLockTimeout:   "a lock was not had in time (lock_timeout): look for a transaction that holds it",
	codeCancelled:     "the server cancelled the statement (statement_timeout, or an operator)",
	codeShutdown:      "the server is stopping, or an operator ended the connection: try again",
	codeCrashShutdown: "the server has crashed and is recovering: try again",
	codeStarting:      "the server is starting or stopping: try again",
	codeNoFunction:    "a table is not as Migrate makes it, or the server lacks a function: compare its columns",
	codeWrongType:     "a table is not as Migrate makes it: compare its columns",
}

// Explain returns err with what was being done, and what to do about it where that is known.
// It is nil for nil. Where ctx has ended the result is its error too, whatever the
// driver made of it. Missing tables and columns are ErrNoSchema.
func Explain(ctx context.Context, doing string, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil && !errors.Is(err, ended) {
		return fmt.Errorf("%s: %w: %w", doing, ended, err)
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		switch pg.Code {
		case codeNoTable, codeNoSchemaName, codeNoColumn:
			return fmt.Errorf("%s: %w: %w", doing, ErrNoSchema, err)
		}
		if text, ok := advice[pg.Code]; ok {
			return fmt.Errorf("%s: %s: %w", doing, text, err)
		}
		if pg.Code[:min(2, len(pg.Code))] == classBadAuthorization {
			return fmt.Errorf("%s: the server refuses the user or the password: %w", doing, err)
		}
		return fmt.Errorf("%s: %w", doing, err)
	}
	var connect *pgconn.ConnectError
	if errors.As(err, &connect) {
		return fmt.Errorf("%s: the server cannot be reached: %w", doing, err)
	}
	var network net.Error
	if ctx.Err() == nil && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &network)) {
		return fmt.Errorf("%s: the connection to the server broke: %w", doing, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// IsUnique reports whether err says that a row of that key is there already.
func IsUnique(err error) bool { return hasCode(err, codeUniqueViolation) }

// IsRetryable reports whether err says that the statement was undone only because another one
// ran at the same time. Under read committed that is rare; a pool whose connections begin with
// another isolation level meets it.
func IsRetryable(err error) bool { return hasCode(err, codeSerialization, codeDeadlock) }

// IsAltered reports whether err says that a table has other columns than Migrate gives it.
func IsAltered(err error) bool { return hasCode(err, codeNoFunction, codeWrongType, codeNoColumn) }

func hasCode(err error, codes ...string) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	for _, code := range codes {
		if pg.Code == code {
			return true
		}
	}
	return false
}
