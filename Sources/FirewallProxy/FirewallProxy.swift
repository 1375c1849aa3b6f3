// Placeholder so that the target exists; replaced by the proxy.
