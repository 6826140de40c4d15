package memory

import "slices"

// ProjectionTx is a transaction of a ProjectionStore. Beside what the store
// keeps for itself it holds tables of a model's rows, by table and key. Values
// must not be changed after they were put, nor after they were got. It is used
// by one goroutine, and not after its function has returned.
type ProjectionTx struct {
	store  *ProjectionStore
	writes bool
	// undo takes back what was done, last thing first.
	undo []func()
	err  error
}

// Get returns a row, and whether there is one.
func (tx *ProjectionTx) Get(table, key string) (any, bool) {
	row, ok := tx.store.rows.rows[rowKey{table, key}]
	return row, ok
}

// Put writes a row.
func (tx *ProjectionTx) Put(table, key string, row any) {
	tx.store.rows.put(tx, rowKey{table, key}, row)
}

// Delete removes a row; one that is not there is left so.
func (tx *ProjectionTx) Delete(table, key string) {
	tx.store.rows.remove(tx, rowKey{table, key})
}

// Rows calls fn with each row of a table, in no order, until it returns false.
func (tx *ProjectionTx) Rows(table string, fn func(key string, row any) bool) {
	for key, row := range tx.store.rows.rows {
		if key.table == table && !fn(key.key, row) {
			return
		}
	}
}

func (tx *ProjectionTx) rollback() {
	for _, v := range slices.Backward(tx.undo) {
		v()
	}
}

// table is a map whose changes a transaction can take back.
type table[K comparable, V any] struct{ rows map[K]V }

func (t *table[K, V]) put(tx *ProjectionTx, key K, value V) {
	if t.keepOld(tx, key) {
		t.rows[key] = value
	}
}

func (t *table[K, V]) remove(tx *ProjectionTx, key K) {
	if t.keepOld(tx, key) {
		delete(t.rows, key)
	}
}

// keepOld prepares for a change, unless the transaction only reads: then that
// is what the transaction fails with.
func (t *table[K, V]) keepOld(tx *ProjectionTx, key K) bool {
	if !tx.writes {
		tx.err = errReadOnly
		return false
	}
	if t.rows == nil {
		t.rows = make(map[K]V)
	}
	old, had := t.rows[key]
	tx.undo = append(tx.undo, func() {
		if had {
			t.rows[key] = old
		} else {
			delete(t.rows, key)
		}
	})
	return true
}
