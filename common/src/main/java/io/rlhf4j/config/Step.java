package io.rlhf4j.config;

import java.util.Locale;

/** The three steps of InstructGPT (Ouyang et al. 2022). */
public enum Step {
    /** Supervised fine-tuning. */
    SFT,
    /** Training of the reward model. */
    REWARD,
    /** Proximal policy optimisation. */
    PPO;

    /** The step's name in files, folders and on the command line. */
    public String key() {
        return name().toLowerCase(Locale.ROOT);
    }
}
