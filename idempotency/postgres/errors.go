package postgres

import (
	"errors"

	"github.com/devrev/pairdb/internal/postgres"
)

var (
	// ErrNoSchema says that the table is not there, or lacks something that this version of the program
	// needs: call Migrate.
	ErrNoSchema = postgres.ErrNoSchema

	// ErrNewerSchema says that the table was made by a later version of the program, which has to be
	// used instead. The text names both versions.
	ErrNewerSchema = postgres.ErrNewerSchema

	// ErrOption says that an option of New is not possible; the text names it.
	ErrOption = errors.New("invalid option")
)
