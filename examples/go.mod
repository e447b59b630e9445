module github.com/devrev/pairdb/examples

go 1.26.0

require github.com/devrev/pairdb v0.0.0

replace github.com/devrev/pairdb => ../

require github.com/devrev/pairdb/storagenode v0.0.0

replace github.com/devrev/pairdb/storagenode => ../storagenode
