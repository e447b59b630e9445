// Package postgres keeps idempotency records in PostgreSQL.
package postgres
