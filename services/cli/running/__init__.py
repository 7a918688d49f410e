"""What runs: `osevents up`, the services by themselves, and how they are composed."""
