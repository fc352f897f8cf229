package dial

import (
	"sync"

	"github.com/churntier/churntier/pipeline/objstore"
	"github.com/churntier/churntier/pipeline/objstore/mem"
)

// memories are the stores of this process by name.
var memories sync.Map

// memory gives the store of a name, empty when nobody opened it before.
func memory(name string) objstore.Driver {
	d, _ := memories.LoadOrStore(name, mem.New())
	return d.(*mem.Driver)
}
