"""What other systems are told: signed webhooks, with their queue, their log and their tries."""
