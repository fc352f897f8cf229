package gcs

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"github.com/churntier/churntier/pipeline/objstore"
)

// kind puts an answer of the store under the kind that it is of.
func (d *Driver) kind(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, storage.ErrBucketNotExist):
		return d.noBucket()
	}
	switch statusOf(err) {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("%w: %w", objstore.ErrPermission, err)
	case http.StatusPreconditionFailed:
		return fmt.Errorf("%w: %w", objstore.ErrPrecondition, err)
	case http.StatusNotFound:
		return d.notFound(ctx)
	}
	return err
}

// notFound tells a missing object from a missing bucket: the store answers
// both with 404.
func (d *Driver) notFound(ctx context.Context) error {
	objects := d.bucket.Objects(ctx, nil)
	objects.PageInfo().MaxSize = 1
	if _, err := objects.Next(); errors.Is(err, storage.ErrBucketNotExist) {
		return d.noBucket()
	}
	return objstore.ErrNotExist
}

func (d *Driver) noBucket() error {
	return fmt.Errorf("%w: there is no bucket gs://%s", objstore.ErrNoBucket, d.name)
}

func statusOf(err error) int {
	var answer *googleapi.Error
	if errors.As(err, &answer) {
		return answer.Code
	}
	return 0
}
