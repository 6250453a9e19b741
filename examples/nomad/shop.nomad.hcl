# Pannier as a sidecar in Nomad: nomad job run shop.nomad.hcl, in this directory. The secrets/ directory of a task is a tmpfs.
# That of the task pannier holds the published files, and the application mounts a part of it, for reading alone.
job "shop" {
  group "shop" {
    network {
      mode = "bridge" # the tasks of the group share localhost
    }

    task "pannier" {
      driver = "docker"
      user   = "65532:2000"

      lifecycle {
        hook    = "prestart"
        sidecar = true
      }

      # The workload's identity. Nomad renews the file, which pannier.yaml reads at each login.
      identity {
        name = "openbao"
        aud  = ["openbao"]
        file = true
        ttl  = "1h"
      }

      template {
        data            = file("pannier.yaml")
        destination     = "local/pannier.yaml"
        change_mode     = "noop" # Pannier notices a new configuration by itself
        left_delimiter  = "[[" # so that Nomad leaves the templates of Pannier alone
        right_delimiter = "]]"
      }

      config {
        image           = "pannier:0.1.0"
        args            = ["run", "-c", "/local/pannier.yaml"]
        readonly_rootfs = true
        cap_drop        = ["all"]
        security_opt    = ["no-new-privileges"]
      }

      kill_timeout = "30s"

      resources {
        cpu     = 50
        memory  = 128
        secrets = 4
      }
    }

    # Nomad starts the application when the tasks of "prestart" that are no sidecars have ended well. This one does when the
    # files are published; until then it fails, and is started again.
    task "ready" {
      driver = "docker"

      lifecycle {
        hook    = "prestart"
        sidecar = false
      }

      restart {
        attempts = 60
        interval = "10m"
        delay    = "2s"
        mode     = "fail"
      }

      env {
        PANNIER_SOCKET = "127.0.0.1:9464"
      }

      config {
        image           = "pannier:0.1.0"
        args            = ["probe", "startup"]
        readonly_rootfs = true
        cap_drop        = ["all"]
      }

      resources {
        cpu    = 20
        memory = 64
      }
    }

    task "shop" {
      driver = "docker"
      user   = "1000:2000"

      config {
        image   = "shop:1.0.0"
        volumes = ["../pannier/secrets/shop:/run/shop-secrets:ro"]
      }
    }
  }
}
