package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// A Row is a row as it was found: its columns may have been given other types, or be NULL where
// they must not, by whoever has changed the table by hand. Each method returns a *ColumnError for what
// is not as it must be.
type Row struct {
	names  []string
	values []any
}

// A ColumnError says what is wrong with one column of a row.
type ColumnError struct {
	Column string
	Reason string // for people
}

func (e *ColumnError) Error() string { return "column " + e.Column + ": " + e.Reason }

// A Querier is a pool, a connection or a transaction.
type Querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// Each calls on with each row that a query returns, until it fails. Nothing is held
// after it has returned.
func Each(ctx context.Context, q Querier, sql string, args []any, on func(Row) error) error {
	rows, err := q.Query(ctx, sql, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		row := Row{}
		for _, field := range rows.FieldDescriptions() {
			row.names = append(row.names, field.Name)
		}
		if row.values, err = rows.Values(); err != nil {
			return fmt.Errorf("read a row: %w", err)
		}
		if err := on(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

// value returns nil for NULL.
func (r Row) value(column string) (any, error) {
	for i, name := range r.names {
		if name == column {
			return r.values[i], nil
		}
	}
	return nil, &ColumnError{Column: column, Reason: "is not there"}
}

// Null reports whether a column is NULL.
func (r Row) Null(column string) bool {
	v, err := r.value(column)
	return err == nil && v == nil
}

// Text returns a column of the type text or varchar.
func (r Row) Text(column string) (string, error) { return typed[string](r, column, "text") }

// Bytes returns a column of the type bytea; the slice is the caller's.
func (r Row) Bytes(column string) ([]byte, error) { return typed[[]byte](r, column, "bytea") }

// Float returns a column of the type double precision.
func (r Row) Float(column string) (float64, error) {
	return typed[float64](r, column, "double precision")
}

// Time returns a column of the type timestamptz, in UTC.
func (r Row) Time(column string) (time.Time, error) {
	t, err := typed[time.Time](r, column, "a time")
	return t.UTC(), err
}

// Int returns a column of the type bigint, integer or smallint.
func (r Row) Int(column string) (int64, error) {
	v, err := r.value(column)
	if err != nil {
		return 0, err
	}
	switch v := v.(type) {
	case int64:
		return v, nil
	case int32:
		return int64(v), nil
	case int16:
		return int64(v), nil
	}
	return 0, wrongType(column, v, "a whole number")
}

func typed[T any](r Row, column, want string) (T, error) {
	var zero T
	v, err := r.value(column)
	if err != nil {
		return zero, err
	}
	t, ok := v.(T)
	if !ok {
		return zero, wrongType(column, v, want)
	}
	return t, nil
}

func wrongType(column string, v any, want string) error {
	if v == nil {
		return &ColumnError{Column: column, Reason: "is NULL"}
	}
	return &ColumnError{Column: column, Reason: fmt.Sprintf("is of another type than %s (%T)", want, v)}
}

// Wrong returns a *ColumnError, for a value that is of the right type.
func Wrong(column, format string, args ...any) error {
	return &ColumnError{Column: column, Reason: fmt.Sprintf(format, args...)}
}
