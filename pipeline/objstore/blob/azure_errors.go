package blob

import (
	"errors"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"github.com/churntier/churntier/pipeline/objstore"
)

// azureKind puts an answer of Azure under the kind that it is of.
func azureKind(err error) error {
	if kind := azureKindOf(err); kind != nil {
		return fmt.Errorf("%w: %w", kind, err)
	}
	return err
}

func azureKindOf(err error) error {
	switch {
	case bloberror.HasCode(err, bloberror.ContainerNotFound, bloberror.ContainerBeingDeleted, bloberror.ContainerDisabled):
		return objstore.ErrNoBucket
	case bloberror.HasCode(err, bloberror.BlobAlreadyExists):
		return objstore.ErrPrecondition
	case bloberror.HasCode(err, bloberror.MD5Mismatch):
		return objstore.ErrChecksum
	}
	var answer *azcore.ResponseError
	var refused interface{ NonRetriable() } // by what should have given credentials
	switch {
	case errors.As(err, &answer):
		return kindOfStatus(answer.StatusCode)
	case errors.As(err, &refused):
		return objstore.ErrPermission
	}
	return nil
}

// azureUnwritten gives the kind of a failed write. Only a condition can miss
// the object.
func azureUnwritten(err error) error {
	failed := azureKind(err)
	if errors.Is(failed, objstore.ErrNotExist) {
		return fmt.Errorf("%w: %w", objstore.ErrPrecondition, err)
	}
	return failed
}
