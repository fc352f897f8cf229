# churntier in an image of its own: one static program, no shell, not root.
#
#   docker build -t churntier .
#   docker run --rm --read-only --tmpfs /tmp -v "$PWD/config:/config:ro" churntier run -c /config/churntier.yaml
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w" -o /churntier ./cmd/churntier

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /usr/local/go/lib/time/zoneinfo.zip /usr/local/go/lib/time/zoneinfo.zip
ENV ZONEINFO=/usr/local/go/lib/time/zoneinfo.zip
COPY --from=build /churntier /churntier
USER 65532:65532
# For churntier serve; a container that runs one command ends with its exit code.
HEALTHCHECK CMD ["/churntier", "health"]
ENTRYPOINT ["/churntier"]
